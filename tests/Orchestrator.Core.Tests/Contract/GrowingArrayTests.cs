using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Core.Tests.Contract;

/// <summary>The array under messages and frames.</summary>
public sealed class GrowingArrayTests
{
    private const int First = 16;
    private const int Kept = 100;

    [Fact]
    public void What_is_written_stays_however_it_grows()
    {
        var random = new Random(4711);
        for (var round = 0; round < 200; round++)
        {
            var array = new GrowingArray(First, Kept);
            var written = new List<byte>();
            for (var i = 0; i < 10; i++)
            {
                var piece = new byte[random.Next(0, random.Next(2) == 0 ? 20 : 500)];
                random.NextBytes(piece);
                array.Reserve(written.Count, piece.Length);
                piece.CopyTo(array.Bytes, written.Count);
                written.AddRange(piece);
                Assert.Equal(written, array.Bytes.Take(written.Count));
                if (random.Next(8) != 0)
                    continue;
                array.Trim();
                written.Clear();
            }
        }
    }

    [Fact]
    public void An_array_of_usual_size_is_kept_and_a_large_one_is_not()
    {
        var array = new GrowingArray(First, Kept);
        array.Reserve(0, 1);
        Assert.Equal(First, array.Bytes.Length);
        array.Reserve(First, 50);
        var usual = array.Bytes;
        Assert.InRange(usual.Length, First + 50, Kept);
        array.Reserve(usual.Length, 1000);
        Assert.True(array.Bytes.Length > Kept);
        array.Trim();
        Assert.Same(usual, array.Bytes);
        array.Trim();
        Assert.Same(usual, array.Bytes);
    }

    [Fact]
    public void More_than_an_array_can_hold_is_an_error() =>
        Assert.Throws<OverflowException>(() => new GrowingArray(First, Kept).Reserve(int.MaxValue, 1));
}

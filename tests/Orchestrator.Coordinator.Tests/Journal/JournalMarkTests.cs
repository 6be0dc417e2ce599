using CsCheck;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>The mark of how far a journal was written, and its times.</summary>
public sealed class JournalMarkTests
{
    private static readonly Gen<JournalMark> s_marks =
        from ids in Gen.Guid.Array[2]
        from numbers in Gen.ULong.Array[5]
        from frames in Gen.UInt
        select new JournalMark(ids[0], numbers[0], numbers[1], new LogPosition(numbers[2], frames, numbers[3]))
        {
            Sequence = numbers[4],
            Boot = ids[1],
        };

    [Fact]
    public void What_is_written_is_read() => s_marks.Sample(mark => Assert.Equal(mark, JournalMark.Read(BytesOf(mark))));

    [Fact]
    public void A_mark_with_any_bit_changed_is_none() => s_marks.Sample(
        mark =>
        {
            var bytes = BytesOf(mark);
            for (var bit = 0; bit < bytes.Length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.Null(JournalMark.Read(bytes));
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            Assert.NotNull(JournalMark.Read(bytes));
        },
        iter: 20);

    [Fact]
    public void Empty_bytes_are_no_mark() => Assert.Null(JournalMark.Read(new byte[JournalMark.Bytes]));

    [Fact]
    public void A_time_comes_back_from_the_journal() => Gen.Long[1, TimeSpan.TicksPerDay * 36_500].Sample(ticks =>
    {
        using var clock = new MonotonicClock(TimeProvider.System);
        var times = new JournalClock(clock);
        Assert.Equal(ticks, times.ToEngine(times.ToJournal(ticks)));
        Assert.Equal(ticks, times.ToEngineOrNone(times.ToJournalOrNone(ticks)));
    });

    [Fact]
    public void Never_and_none_stay_what_they_are_and_a_present_time_is_never_none()
    {
        using var clock = new MonotonicClock(TimeProvider.System);
        var times = new JournalClock(clock);
        Assert.Equal(long.MaxValue, times.ToJournal(long.MaxValue));
        Assert.Equal(long.MaxValue, times.ToEngine(long.MaxValue));
        Assert.Equal(0, times.ToJournalOrNone(0));
        Assert.Equal(0, times.ToEngineOrNone(0));
        Assert.NotEqual(0, times.ToEngineOrNone(times.ToJournal(0)));
    }

    private static byte[] BytesOf(JournalMark mark)
    {
        var bytes = new byte[JournalMark.Bytes];
        mark.WriteTo(bytes);
        return bytes;
    }
}

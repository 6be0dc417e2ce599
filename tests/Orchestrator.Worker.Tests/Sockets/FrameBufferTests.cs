using System.Buffers.Binary;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Worker.Tests.Sockets;

/// <summary>Frames of the local transport, in whatever pieces their bytes arrive.</summary>
public sealed class FrameBufferTests
{
    private const int Limit = 300_000;
    private const int UsualBytes = 16 * 1024;

    private static readonly FrameKind[] Kinds = [FrameKind.Message, FrameKind.Open, FrameKind.HalfClose];

    public static TheoryData<int> Seeds => new(Enumerable.Range(1, 100));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Frames_come_out_whole_wherever_their_bytes_are_cut(int seed)
    {
        var random = new Random(seed);
        var sent = Frames(random, random.Next(1, 40));
        var isKept = seed % 2 == 0;
        var received = Feed(new FrameBuffer(_ => Limit, () => isKept), random, Bytes(sent), out var most);
        Assert.Equal(sent, received, Same);
        Assert.InRange(most, 0, sent.Max(frame => frame.Content.Length) + FrameBuffer.HeadBytes + UsualBytes);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void What_belongs_to_no_call_is_skipped_up_to_the_next(int seed)
    {
        var random = new Random(seed);
        var (dropped, kept) = (Frames(random, random.Next(0, 10)), Frames(random, random.Next(0, 10)));
        dropped.RemoveAll(frame => frame.Kind == FrameKind.Open);
        kept.Insert(0, (FrameKind.Open, [1, 2, 3]));
        var buffer = new FrameBuffer(_ => Limit, () => false);
        buffer.SkipToOpen();
        var received = Feed(buffer, random, Bytes([.. dropped, .. kept]), out var most);
        Assert.Equal(kept, received, Same);
        Assert.InRange(most, 0, kept.Max(frame => frame.Content.Length) + FrameBuffer.HeadBytes + UsualBytes);
    }

    [Theory]
    [InlineData(Limit + 1u)]
    [InlineData(int.MaxValue)]
    [InlineData((uint)int.MaxValue + 1)]
    [InlineData(uint.MaxValue)]
    public void A_frame_beyond_its_limit_is_refused_by_its_head_alone(uint length)
    {
        foreach (var isSkipping in (bool[])[false, true])
        {
            var buffer = new FrameBuffer(_ => Limit, () => false);
            if (isSkipping)
                buffer.SkipToOpen();
            Add(buffer, Head(FrameKind.Open, length));
            Assert.Equal(FrameStep.Violation, buffer.Take(out var kind, out var told, out _));
            Assert.Equal((FrameKind.Open, length), (kind, told));
        }
    }

    [Theory]
    [InlineData(Limit + 1u, false)]
    [InlineData(Limit + 1u, true)]
    [InlineData(3_000_000u, false)]
    public void A_message_beyond_its_limit_is_passed_over_and_the_next_frame_is_read(uint length, bool isSkipping)
    {
        var buffer = new FrameBuffer(_ => Limit, () => false);
        if (isSkipping)
            buffer.SkipToOpen();
        Add(buffer, Head(FrameKind.Message, length));
        Assert.Equal(isSkipping ? FrameStep.Incomplete : FrameStep.TooLarge, buffer.Take(out _, out _, out _));
        for (var left = length; left > 0; left -= Math.Min(left, UsualBytes))
        {
            Assert.Equal(FrameStep.Incomplete, buffer.Take(out _, out _, out _));
            Assert.Equal(0, buffer.Count);
            Add(buffer, new byte[Math.Min(left, UsualBytes)]);
        }

        Add(buffer, [.. Head(FrameKind.Open, 1), 7]);
        Assert.Equal(FrameStep.Frame, buffer.Take(out var kind, out _, out var content));
        Assert.Equal((FrameKind.Open, 7), (kind, content.Span[0]));
    }

    [Fact]
    public void A_large_message_that_is_kept_has_an_array_to_itself()
    {
        var buffer = new FrameBuffer(_ => Limit, () => true);
        var random = new Random(1);
        var kept = new List<(byte[] Sent, ReadOnlyMemory<byte> Received)>();
        for (var i = 0; i < 20; i++)
        {
            var content = new byte[random.Next(256 * 1024, Limit)];
            random.NextBytes(content);
            AddAll(buffer, [.. Head(FrameKind.Message, (uint)content.Length), .. content]);
            Assert.Equal(FrameStep.Frame, buffer.Take(out _, out _, out var received));
            Assert.True(buffer.IsContentOwn);
            kept.Add((content, received));
            // A small one is not kept.
            AddAll(buffer, [.. Head(FrameKind.Message, 3), 1, 2, 3]);
            Assert.Equal(FrameStep.Frame, buffer.Take(out _, out _, out received));
            Assert.False(buffer.IsContentOwn);
            Assert.Equal([1, 2, 3], received.ToArray());
        }

        Assert.All(kept, message => Assert.Equal(message.Sent, message.Received.ToArray()));
    }

    [Fact]
    public void A_kind_that_is_not_expected_is_refused()
    {
        var buffer = new FrameBuffer(kind => kind == FrameKind.Status ? -1 : Limit, () => false);
        Add(buffer, Head(FrameKind.Status, 0));
        Assert.Equal(FrameStep.Violation, buffer.Take(out _, out _, out _));
    }

    [Fact]
    public void A_head_alone_costs_no_memory_and_a_large_frame_no_more_than_four_times_what_has_come()
    {
        const int Length = 64 * 1024 * 1024;
        var buffer = new FrameBuffer(_ => Length, () => false);
        Add(buffer, Head(FrameKind.Message, Length));
        Assert.Equal(FrameStep.Incomplete, buffer.Take(out _, out _, out _));
        for (var count = FrameBuffer.HeadBytes; count < Length + FrameBuffer.HeadBytes;)
        {
            var space = buffer.Space();
            Assert.InRange(count + space.Length, 1, Math.Max(UsualBytes, count * 8));
            buffer.Add(space.Length);
            count += space.Length;
        }

        Assert.Equal(FrameStep.Frame, buffer.Take(out _, out var length, out _));
        Assert.Equal((uint)Length, length);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Frames_that_are_appended_come_out_whole_too(int seed)
    {
        var random = new Random(seed);
        var sent = Frames(random, random.Next(1, 40));
        var bytes = Bytes(sent);
        var buffer = new FrameBuffer(_ => Limit, () => false);
        var received = new List<(FrameKind, byte[])>();
        for (var at = 0; at < bytes.Length;)
        {
            // Also what need not be moved must not disturb the frame that is being read.
            var count = Math.Min(bytes.Length - at, random.Next(1, 100_000));
            var hasFrame = buffer.Take(out var kind, out _, out var content) == FrameStep.Frame;
            if (hasFrame && !buffer.HasRoom(count))
            {
                received.Add((kind, content.ToArray()));
                hasFrame = false;
            }

            buffer.Append(bytes.AsSpan(at, count));
            at += count;
            if (hasFrame)
                received.Add((kind, content.ToArray()));
        }

        while (buffer.Take(out var kind, out _, out var content) == FrameStep.Frame)
            received.Add((kind, content.ToArray()));
        Assert.Equal(sent, received, Same);
        Assert.Equal(0, buffer.Count);
    }

    private static List<(FrameKind Kind, byte[] Content)> Feed(FrameBuffer buffer, Random random, byte[] bytes, out int most)
    {
        var frames = new List<(FrameKind, byte[])>();
        most = 0;
        for (var at = 0; at < bytes.Length;)
        {
            var space = buffer.Space();
            Assert.NotEqual(0, space.Length);
            var cut = random.Next(3) == 0 ? random.Next(1, 8) : random.Next(1, 100_000);
            var count = Math.Min(Math.Min(space.Length, bytes.Length - at), cut);
            bytes.AsSpan(at, count).CopyTo(space);
            buffer.Add(count);
            at += count;
            most = Math.Max(most, buffer.Count);
            FrameStep step;
            while ((step = buffer.Take(out var kind, out var length, out var content)) == FrameStep.Frame)
            {
                Assert.Equal(length, (uint)content.Length);
                frames.Add((kind, content.ToArray()));
            }

            Assert.Equal(FrameStep.Incomplete, step);
        }

        Assert.Equal(0, buffer.Count);
        return frames;
    }

    private static void Add(FrameBuffer buffer, byte[] bytes)
    {
        bytes.CopyTo(buffer.Space());
        buffer.Add(bytes.Length);
    }

    private static void AddAll(FrameBuffer buffer, byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var space = buffer.Space();
            var count = Math.Min(space.Length, bytes.Length - at);
            bytes.AsSpan(at, count).CopyTo(space);
            buffer.Add(count);
            at += count;
            if (at < bytes.Length)
                Assert.Equal(FrameStep.Incomplete, buffer.Take(out _, out _, out _));
        }
    }

    private static List<(FrameKind Kind, byte[] Content)> Frames(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ =>
    {
        var content = new byte[random.Next(10) switch { 0 => random.Next(Limit), < 4 => 0, _ => random.Next(200) }];
        random.NextBytes(content);
        return (Kinds[random.Next(Kinds.Length)], content);
    })];

    private static byte[] Bytes(IEnumerable<(FrameKind Kind, byte[] Content)> frames) =>
        [.. frames.SelectMany(frame => Head(frame.Kind, (uint)frame.Content.Length).Concat(frame.Content))];

    private static byte[] Head(FrameKind kind, uint length)
    {
        var head = new byte[FrameBuffer.HeadBytes];
        head[0] = (byte)kind;
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(1), length);
        return head;
    }

    private static bool Same((FrameKind Kind, byte[] Content) one, (FrameKind Kind, byte[] Content) other) =>
        one.Kind == other.Kind && one.Content.AsSpan().SequenceEqual(other.Content);
}

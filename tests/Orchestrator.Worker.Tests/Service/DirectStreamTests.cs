using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Worker.Tests.Service;

/// <summary>The frames of the direct stream over a real pair of sockets.</summary>
public sealed class DirectStreamTests
{
    private const int Largest = 4_000_000;

    [Fact]
    public async Task Messages_of_all_sizes_arrive_whole_and_in_order()
    {
        using var writer = SocketMessageStream.CreatePair(Largest, out var child);
        using var reader = Inherit(child);
        // From empty to beyond the kernel's buffer, so that the writer has to wait for the reader.
        int[] sizes = [0, 1, 100, 262_139, 262_140, 262_141, 3_000_000, 0, 17, 1_500_000, 1_048_576, 3_900_000, 5];
        var values = sizes.Select(size => ByteString.CopyFrom(RandomNumberGenerator.GetBytes(size))).ToArray();
        var writing = Task.Run(
            async () =>
            {
                // One buffer for all, as its users have it.
                var message = new MessageBuffer();
                foreach (var value in values)
                {
                    message.Append(new BytesValue { Value = value });
                    await writer.WriteAsync(message);
                    message.Clear();
                }

                writer.CompleteWriting();
            },
            TestContext.Current.CancellationToken);
        foreach (var value in values)
            Assert.Equal(value, reader.Read<BytesValue>()!.Value);
        Assert.Null(reader.Read<BytesValue>());
        await writing;
    }

    [Fact]
    public async Task What_was_written_before_the_peer_vanished_is_still_read()
    {
        var writer = SocketMessageStream.CreatePair(Largest, out var child);
        using var reader = Inherit(child);
        await writer.WriteAsync(MessageBuffer.Of(new Int32Value { Value = 7 }));
        await writer.WriteAsync(MessageBuffer.Of(new Int32Value { Value = 8 }));
        writer.Dispose();
        Assert.Equal(7, reader.Read<Int32Value>()!.Value);
        Assert.True(reader.HasBuffered);
        Assert.Equal(8, reader.Read<Int32Value>()!.Value);
        Assert.False(reader.HasBuffered);
        Assert.Null(reader.Read<Int32Value>());
        await Assert.ThrowsAsync<IOException>(() => reader.WriteAsync(MessageBuffer.Of(new Int32Value())));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_write_that_waits_for_the_peer_fails_when_either_end_closes(bool own)
    {
        using var writer = SocketMessageStream.CreatePair(Largest, out var child);
        using var reader = Inherit(child);
        var message = MessageBuffer.Of(new BytesValue { Value = ByteString.CopyFrom(new byte[Largest - 100]) });
        // The kernel's buffer holds some of them.
        Task writing;
        do
            writing = writer.WriteAsync(message);
        while (writing.IsCompletedSuccessfully);
        (own ? writer : reader).Dispose();
        await Assert.ThrowsAsync<IOException>(() => writing);
    }

    [Fact]
    public void A_length_beyond_the_limit_is_refused_before_memory_is_taken()
    {
        using var own = SocketMessageStream.CreatePair(Largest, out var child);
        using (var raw = new FileStream(child, FileAccess.Write, bufferSize: 0))
            raw.Write([0, 0xff, 0xff, 0xff, 0xff]);
        Assert.Contains("at most", Assert.Throws<InvalidDataException>(() => own.Read<Int32Value>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_message_are_an_error_that_says_so()
    {
        using var own = SocketMessageStream.CreatePair(Largest, out var child);
        using (var raw = new FileStream(child, FileAccess.Write, bufferSize: 0))
            raw.Write([0, 0, 0, 0, 2, 0xff, 0xff]);
        Assert.Contains("2 bytes", Assert.Throws<InvalidDataException>(() => own.Read<Int32Value>()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(987_654)]
    public void A_number_that_names_no_inherited_socket_is_none(int descriptor) =>
        Assert.Null(SocketMessageStream.FromInherited(descriptor, Environment.ProcessId));

    [Fact]
    public void A_socket_of_somebody_else_is_not_taken_over()
    {
        using var own = SocketMessageStream.CreatePair(Largest, out var child);
        using (child)
            Assert.Null(SocketMessageStream.FromInherited((int)child.DangerousGetHandle(), Environment.ProcessId + 1));
    }

    /// <summary>Takes over the descriptor as a worker does, under a number that no other handle owns.</summary>
    private static SocketMessageStream Inherit(SafeFileHandle child)
    {
        var copy = dup((int)child.DangerousGetHandle());
        child.Dispose();
        return SocketMessageStream.FromInherited(copy, Environment.ProcessId)!;
    }

    [DllImport("libc")]
    private static extern int dup(int descriptor);
}

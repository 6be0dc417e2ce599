using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Transport.Sockets;

/// <summary>
/// One end of the direct stream between a coordinator and its worker: a connected pair of Unix sockets that the worker inherits, carrying
/// the messages of <c>WorkerService.Execute</c> with gRPC's own length prefix and without HTTP/2 between them. Reading blocks a dedicated
/// thread, so that a message wakes only the thread that handles it: over HTTP/2 the same message passes through a poller, a connection's
/// loop and the thread pool on each side, which costs several times what most tasks cost.
/// </summary>
/// <remarks>One thread reads and one writes at a time.</remarks>
internal sealed unsafe class SocketMessageStream : IDisposable
{
    private const int PrefixBytes = MessageBuffer.PrefixBytes;
    private const int FirstBufferBytes = 256 * 1024;

    // A buffer that one rare large message has grown beyond this is released after it.
    private const int KeptBufferBytes = 1024 * 1024;

    // The kernel may grant less; the default holds three messages of the usual size.
    private const int SocketBufferBytes = 1024 * 1024;

    private readonly SafeFileHandle _socket;
    private byte[] _input = new byte[FirstBufferBytes];
    private int _inputStart;
    private int _inputEnd;

    private readonly int _largest;

    private SocketMessageStream(SafeFileHandle socket, int largest) => (_socket, _largest) = (socket, largest);

    /// <summary>Whether the next <see cref="TryRead"/> finds a whole message without waiting.</summary>
    public bool HasBuffered => _inputEnd - _inputStart is var count and >= PrefixBytes && (uint)(count - PrefixBytes) >= (uint)NextLength;

    private int NextLength => BinaryPrimitives.ReadInt32BigEndian(_input.AsSpan(_inputStart + 1));

    /// <summary>Creates a pair: our end, and the one to be inherited. Neither is inherited by accident.</summary>
    /// <param name="largest">The largest message that our end reads, in bytes.</param>
    /// <param name="child">The end to be inherited.</param>
    /// <exception cref="IOException">Out of file descriptors.</exception>
    public static SocketMessageStream CreatePair(int largest, out SafeFileHandle child)
    {
        (var own, child) = UnixSockets.CreatePair(SocketBufferBytes);
        return new SocketMessageStream(own, largest);
    }

    /// <summary>
    /// Takes over the end that this process has inherited; null if the descriptor is not a socket created by that parent. A program between
    /// the two may have closed it, and the number may denote another descriptor of this process by now.
    /// </summary>
    public static SocketMessageStream? FromInherited(int descriptor, int parentPid)
    {
        var peer = default(UnixSockets.Credentials);
        var size = sizeof(UnixSockets.Credentials);
        if (descriptor <= 2
            || UnixSockets.getsockopt(descriptor, UnixSockets.SocketLevel, UnixSockets.PeerCredentials, &peer, &size) != 0
            || peer.ProcessId != parentPid)
        {
            return null;
        }

        // Its own children do not inherit it: one that outlives the worker would keep the stream open.
        _ = UnixSockets.fcntl(descriptor, UnixSockets.SetDescriptorFlags, UnixSockets.DescriptorCloseOnExec);
        return new SocketMessageStream(new SafeFileHandle(descriptor, ownsHandle: true), ProtocolConstants.LargestMessageBytes);
    }

    /// <summary>
    /// Waits for the next message; false once the peer has closed its side or has died, and all earlier messages have been read.
    /// </summary>
    /// <param name="message">Its bytes, until the next call.</param>
    /// <exception cref="InvalidDataException">The received bytes are no message.</exception>
    public bool TryRead(out ReadOnlySpan<byte> message)
    {
        message = default;
        while (!HasBuffered)
        {
            if (!Receive())
                return false;
        }

        message = _input.AsSpan(_inputStart + PrefixBytes, NextLength);
        _inputStart += PrefixBytes + message.Length;
        return true;
    }

    /// <summary>As <see cref="TryRead"/>, for a generated message; null at the end.</summary>
    /// <exception cref="InvalidDataException">The received bytes are no message.</exception>
    public T? Read<T>()
        where T : class, IMessage<T>, new() => TryRead(out var message) ? FieldReader.Merge<T>(null, message) : null;

    /// <summary>
    /// Writes one message. Completes at once, unless the peer does not keep up: then a dedicated thread waits for the peer, and not the
    /// caller. The message must not change before completion.
    /// </summary>
    /// <exception cref="IOException">The peer has closed its end or has died.</exception>
    public Task WriteAsync(MessageBuffer message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var bytes = message.WithPrefix();
        var sent = UnixSockets.Send(_socket, bytes.Span);
        return sent == bytes.Length ? Task.CompletedTask : SendRestAsync(bytes[sent..]);
    }

    /// <summary>Signals the end of writing; the peer reads to the end.</summary>
    public void CompleteWriting() => _ = UnixSockets.shutdown(_socket, UnixSockets.ShutdownWrites);

    /// <summary>Ends both directions; a waiting <see cref="TryRead"/> ends too.</summary>
    public void Abort()
    {
        if (!_socket.IsClosed)
            _ = UnixSockets.shutdown(_socket, UnixSockets.ShutdownBoth);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A blocked read holds the descriptor open until it returns, so it is ended first.
        Abort();
        _socket.Dispose();
    }

    /// <summary>Reads what has arrived, at least one byte; false at the end.</summary>
    private bool Receive()
    {
        MakeRoom();
        while (true)
        {
            nint count;
            fixed (byte* start = &_input[_inputEnd])
                count = UnixSockets.recv(_socket, start, (nuint)(_input.Length - _inputEnd), 0);
            if (count > 0)
            {
                _inputEnd += (int)count;
                return true;
            }

            if (count == 0)
                return false;
            var error = Marshal.GetLastPInvokeError();
            if (error == UnixSockets.ConnectionReset)
                return false;
            if (error != UnixSockets.Interrupted)
                throw new IOException($"reading the direct stream failed: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    private void MakeRoom()
    {
        var pending = _inputEnd - _inputStart;
        if (pending == 0)
            _inputStart = _inputEnd = 0;
        var wanted = pending >= PrefixBytes ? PrefixBytes + NextLength : PrefixBytes;
        if (wanted < PrefixBytes || wanted - PrefixBytes > _largest)
            throw new InvalidDataException(
                $"a message on the direct stream announces {wanted - PrefixBytes} bytes; at most {_largest} are allowed");
        if (pending == 0 && _input.Length > KeptBufferBytes)
            _input = new byte[FirstBufferBytes];
        if (_inputStart + wanted <= _input.Length && _inputEnd < _input.Length)
            return;
        var target = wanted <= _input.Length ? _input : new byte[wanted];
        _input.AsSpan(_inputStart, pending).CopyTo(target);
        _input = target;
        (_inputStart, _inputEnd) = (0, pending);
    }

    private Task SendRestAsync(ReadOnlyMemory<byte> rest) => Task.Factory.StartNew(
        () =>
        {
            while (!rest.IsEmpty)
            {
                var item = new UnixSockets.PollItem { Descriptor = (int)_socket.DangerousGetHandle(), Events = UnixSockets.PollOut };
                _ = UnixSockets.poll(&item, 1, -1);
                rest = rest[UnixSockets.Send(_socket, rest.Span)..];
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}

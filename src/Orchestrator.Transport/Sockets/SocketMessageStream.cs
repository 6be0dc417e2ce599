using System.Buffers;
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
internal sealed unsafe class SocketMessageStream : IPolledSocket, IDisposable
{
    private const int PrefixBytes = MessageBuffer.PrefixBytes;
    private const int FirstBufferBytes = 256 * 1024;

    // The kernel may grant less; the default holds three messages of the usual size.
    private const int SocketBufferBytes = 1024 * 1024;

    // Waits for peers that do not keep up.
    private static readonly Lazy<SocketPoller> Poller = new(() => new SocketPoller("stream", threads: 1, TimeProvider.System));

    private readonly SafeFileHandle _socket;
    private readonly int _largest;
    private readonly byte[] _usual = new byte[FirstBufferBytes];
    private byte[] _input;
    private int _inputStart;
    private int _inputEnd;

    private readonly Lock _gate = new();
    private ReadOnlySequence<byte> _rest;
    private TaskCompletionSource? _written;
    private ulong _key;
    private bool _isDisposed;

    private SocketMessageStream(SafeFileHandle socket, int largest) => (_socket, _largest, _input) = (socket, largest, _usual);

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
    public bool TryRead(out ReceivedBytes message)
    {
        message = default;
        while (!HasBuffered)
        {
            if (!Receive())
                return false;
        }

        var (start, length) = (_inputStart + PrefixBytes, NextLength);
        message = _input == _usual ? new ReceivedBytes(_input.AsSpan(start, length)) : new ReceivedBytes(_input, start, length);
        _inputStart = start + length;
        return true;
    }

    /// <summary>As <see cref="TryRead"/>, for a generated message; null at the end.</summary>
    /// <exception cref="InvalidDataException">The received bytes are no message.</exception>
    public T? Read<T>()
        where T : class, IMessage<T>, new() => TryRead(out var message) ? FieldReader.Merge<T>(null, message.Span) : null;

    /// <summary>
    /// Writes one message. Completes at once, unless the peer does not keep up: then a poller waits for the peer, and not the caller. The
    /// message must not change before completion.
    /// </summary>
    /// <exception cref="IOException">The peer has closed its end or has died.</exception>
    public Task WriteAsync(MessageBuffer message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var bytes = message.WithPrefix();
        var sent = UnixSockets.Send(_socket, bytes);
        return sent == bytes.Length ? Task.CompletedTask : SendRestAsync(bytes.Slice(sent));
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
        // A blocked read holds the descriptor open until it returns, so that it is ended first.
        Abort();
        TaskCompletionSource? written;
        lock (_gate)
        {
            _isDisposed = true;
            (written, _written) = (_written, null);
            if (_key != 0)
                Poller.Value.Remove(_key);
            _socket.Dispose();
        }

        written?.TrySetException(new IOException("the direct stream was closed"));
    }

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        TaskCompletionSource? written;
        IOException? fault = null;
        lock (_gate)
        {
            if (_written is null)
                return;
            try
            {
                _rest = _rest.Slice(UnixSockets.Send(_socket, _rest));
                if (!_rest.IsEmpty)
                {
                    Poller.Value.Arm(_socket, _key, UnixSockets.PollOutput);
                    return;
                }
            }
            catch (IOException exception)
            {
                fault = exception;
            }

            (written, _written, _rest) = (_written, null, default);
        }

        if (fault is null)
            written.TrySetResult();
        else
            written.TrySetException(fault);
    }

    /// <inheritdoc/>
    public void OnFault(Exception fault) => Abort();

    /// <inheritdoc/>
    public void OnHeldUp()
    {
        // Others that wait get another thread.
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
        // A large message has an array to itself, and its reader may keep what is large in it.
        if (pending == 0)
            _input = _usual;
        if (_inputStart + wanted <= _input.Length && _inputEnd < _input.Length)
            return;
        var target = wanted <= _input.Length ? _input : LargeArrays.Allocate(wanted);
        _input.AsSpan(_inputStart, pending).CopyTo(target);
        _input = target;
        (_inputStart, _inputEnd) = (0, pending);
    }

    private Task SendRestAsync(ReadOnlySequence<byte> rest)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _rest = rest;
            _written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_key == 0)
                _key = Poller.Value.Add(this, _socket);
            Poller.Value.Arm(_socket, _key, UnixSockets.PollOutput);
            return _written.Task;
        }
    }
}

using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Transport.Sockets;

/// <summary>
/// The kernel's sockets. The framework's own socket class registers a descriptor with its poller on the first asynchronous use; afterwards
/// a blocking call no longer blocks in the kernel.
/// </summary>
internal static unsafe partial class UnixSockets
{
    public const int UnixFamily = 1;
    public const int StreamType = 1;
    public const int CloseOnExec = 0x80000;
    public const int SocketLevel = 1;
    public const int SendBuffer = 7;
    public const int PeerCredentials = 17;
    public const int SetDescriptorFlags = 2;
    public const int DuplicateCloseOnExec = 1030;
    public const int DescriptorCloseOnExec = 1;
    public const int DoNotWait = 0x40;
    public const int NoSignal = 0x4000;
    public const int ShutdownWrites = 1;
    public const int ShutdownBoth = 2;
    public const uint PollInput = 1;
    public const uint PollOutput = 4;
    public const uint PollError = 8;
    public const uint PollHangUp = 0x10;
    public const int EpollAdd = 1;
    public const int EpollModify = 3;
    public const int EpollCloseOnExec = 0x80000;
    public const int EventCloseOnExec = 0x80000;
    public const uint EpollPeerClosed = 0x2000;
    public const uint EpollOneShot = 0x40000000;
    public const int Interrupted = 4;
    public const int WouldBlock = 11;
    public const int ConnectionAborted = 103;
    public const int ConnectionReset = 104;
    public const int NonBlocking = 0x800;

    [LibraryImport("libc")]
    public static partial int gettid();

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, long* time);

    /// <summary>The processor time of a thread of this process, in nanoseconds; 0 if it has ended.</summary>
    public static long ProcessorTime(int thread)
    {
        // The kernel's MAKE_THREAD_CPUCLOCK: its complement, 4 for a thread, 2 for what the scheduler has given it.
        var clock = (~thread << 3) | 4 | 2;
        var time = stackalloc long[2];
        return clock_gettime(clock, time) == 0 ? (time[0] * 1_000_000_000) + time[1] : 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int family, int type, int protocol, int* pair);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(SafeFileHandle socket, int level, int option, void* value, int size);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockopt(int socket, int level, int option, void* value, int* size);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recv(SafeFileHandle socket, byte* buffer, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint send(SafeFileHandle socket, byte* buffer, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint sendmsg(SafeFileHandle socket, SocketMessage* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recvmsg(SafeFileHandle socket, SocketMessage* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int shutdown(SafeFileHandle socket, int how);

    /// <summary>Two connected sockets, which children do not inherit.</summary>
    /// <param name="bufferBytes">The bytes that each holds for its peer.</param>
    /// <exception cref="IOException">Out of file descriptors.</exception>
    public static (SafeFileHandle First, SafeFileHandle Second) CreatePair(int bufferBytes)
    {
        var pair = stackalloc int[2];
        if (socketpair(UnixFamily, StreamType | CloseOnExec, 0, pair) != 0)
            throw new IOException($"cannot make a pair of sockets: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
        var (first, second) = (new SafeFileHandle(pair[0], ownsHandle: true), new SafeFileHandle(pair[1], ownsHandle: true));
        foreach (var end in (ReadOnlySpan<SafeFileHandle>)[first, second])
            _ = setsockopt(end, SocketLevel, SendBuffer, &bufferBytes, sizeof(int));
        return (first, second);
    }

    /// <summary>Another descriptor of the same socket, which children do not inherit.</summary>
    /// <exception cref="IOException">Out of file descriptors.</exception>
    public static SafeFileHandle Duplicate(SafeHandle socket)
    {
        var descriptor = fcntl((int)socket.DangerousGetHandle(), DuplicateCloseOnExec, 0);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException(
                $"cannot use a socket: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
    }

    /// <summary>Sends until the end or until the peer has no room; returns the number of bytes sent.</summary>
    /// <exception cref="IOException">The peer has closed its end or has died.</exception>
    public static int Send(SafeFileHandle socket, ReadOnlySpan<byte> bytes)
    {
        var sent = 0;
        while (sent < bytes.Length)
        {
            nint count;
            fixed (byte* start = bytes[sent..])
                count = send(socket, start, (nuint)(bytes.Length - sent), DoNotWait | NoSignal);
            if (count >= 0)
                sent += (int)count;
            else if (IsFullOrThrow())
                return sent;
        }

        return sent;
    }

    /// <summary>As above, for bytes in several pieces.</summary>
    /// <exception cref="IOException">The peer has closed its end or has died.</exception>
    public static long Send(SafeFileHandle socket, in ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment)
            return Send(socket, bytes.FirstSpan);
        var rest = bytes;
        while (!rest.IsEmpty)
        {
            var count = VectoredSend.Send(socket, rest, DoNotWait | NoSignal);
            if (count < 0)
            {
                if (IsFullOrThrow())
                    break;
                continue;
            }

            rest = rest.Slice(count);
        }

        return bytes.Length - rest.Length;
    }

    /// <summary>Why a send failed: true if the peer has no room; false if it was interrupted.</summary>
    private static bool IsFullOrThrow()
    {
        var error = Marshal.GetLastPInvokeError();
        return error is WouldBlock or Interrupted
            ? error == WouldBlock : throw new IOException($"writing to the socket failed: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>The next connection of a listener that does not block; negative for an error.</summary>
    public static int Accept(SafeFileHandle socket) => accept4(socket, null, null, CloseOnExec | NonBlocking);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(SafeFileHandle socket, void* address, int* size, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_ctl(SafeFileHandle epoll, int operation, SafeFileHandle descriptor, EpollEvent* wanted);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_wait(SafeFileHandle epoll, EpollEvent* ready, int maximum, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int eventfd(uint value, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(SafeFileHandle descriptor, void* bytes, nuint count);

    /// <summary><c>struct ucred</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Credentials
    {
        public int ProcessId;
        public uint UserId;
        public uint GroupId;
    }
}

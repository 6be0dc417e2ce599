using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Transport.Sockets;

/// <summary>Passes file descriptors to another process over a Unix socket: <c>SCM_RIGHTS</c>, see unix(7) and cmsg(3).</summary>
internal static unsafe class DescriptorPassing
{
    private const int Rights = 1;
    private const int CloseOnExec = 0x40000000;

    /// <summary>Sends bytes with a descriptor, of which the receiver gets one of its own.</summary>
    /// <exception cref="IOException">The peer has closed its end or has died, or its socket has no room.</exception>
    public static void Send(SafeFileHandle socket, ReadOnlySpan<byte> bytes, SafeFileHandle descriptor)
    {
        var isHeld = false;
        descriptor.DangerousAddRef(ref isHeld);
        try
        {
            fixed (byte* start = bytes)
            {
                var part = new SocketMessage.Part { Start = start, Length = (nuint)bytes.Length };
                var control = new Control
                {
                    Length = Control.UsedBytes,
                    Level = UnixSockets.SocketLevel,
                    Type = Rights,
                    Descriptor = (int)descriptor.DangerousGetHandle(),
                };
                var message = new SocketMessage { Parts = &part, PartCount = 1, Control = &control, ControlBytes = (nuint)sizeof(Control) };
                // So few bytes are sent whole or not at all.
                if (UnixSockets.sendmsg(socket, &message, UnixSockets.DoNotWait | UnixSockets.NoSignal) != bytes.Length)
                    throw new IOException($"a descriptor could not be sent: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
        finally
        {
            if (isHeld)
                descriptor.DangerousRelease();
        }
    }

    /// <summary>As <c>recv</c> without waiting; also takes a descriptor that comes with the bytes.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="space">For the bytes.</param>
    /// <param name="descriptor">The descriptor, owned by the caller; null if none came.</param>
    public static nint Receive(SafeFileHandle socket, Span<byte> space, out SafeFileHandle? descriptor)
    {
        fixed (byte* start = space)
        {
            var part = new SocketMessage.Part { Start = start, Length = (nuint)space.Length };
            Control control = default;
            var message = new SocketMessage { Parts = &part, PartCount = 1, Control = &control, ControlBytes = (nuint)sizeof(Control) };
            var count = UnixSockets.recvmsg(socket, &message, UnixSockets.DoNotWait | CloseOnExec);
            // The kernel closes those for which there is no space.
            descriptor = count > 0 && message.ControlBytes >= Control.UsedBytes && control is
            {
                Level: UnixSockets.SocketLevel, Type: Rights, Length: >= Control.UsedBytes,
            }
                ? new SafeFileHandle(control.Descriptor, ownsHandle: true) : null;
            return count;
        }
    }

    /// <summary><c>struct cmsghdr</c> and one descriptor, with the padding of <c>CMSG_SPACE</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Control
    {
        public const int UsedBytes = 20;

        public nuint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        private readonly int _padding;
    }
}

using System.Runtime.InteropServices;

namespace Orchestrator.Transport.Sockets;

/// <summary><c>struct msghdr</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SocketMessage
{
    public void* Address;
    public uint AddressBytes;
    public Part* Parts;
    public nuint PartCount;
    public void* Control;
    public nuint ControlBytes;
    public int Flags;

    /// <summary><c>struct iovec</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Part
    {
        public void* Start;
        public nuint Length;
    }
}

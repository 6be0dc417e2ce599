using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orchestrator.Transport.Sockets;

/// <summary><c>struct epoll_event</c>, which is packed on x86-64 and nowhere else.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal unsafe struct EpollEvent
{
    private const int Bytes = 16;

    private static readonly int KeyOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? sizeof(uint) : sizeof(ulong);

    private fixed byte _bytes[Bytes];

    /// <summary>The events.</summary>
    public uint Events
    {
        readonly get
        {
            fixed (byte* start = _bytes)
                return Unsafe.ReadUnaligned<uint>(start);
        }
        set
        {
            fixed (byte* start = _bytes)
                Unsafe.WriteUnaligned(start, value);
        }
    }

    /// <summary>What the socket was registered under.</summary>
    public ulong Key
    {
        readonly get
        {
            fixed (byte* start = _bytes)
                return Unsafe.ReadUnaligned<ulong>(start + KeyOffset);
        }
        set
        {
            fixed (byte* start = _bytes)
                Unsafe.WriteUnaligned(start + KeyOffset, value);
        }
    }
}

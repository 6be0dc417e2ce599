using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Transport.Sockets;

/// <summary>Sends bytes from several places with one call of the kernel, without a copy of them in one place.</summary>
internal static unsafe class VectoredSend
{
    // A message has a few large parts; what follows goes with the next call.
    private const int MaxParts = 16;

    /// <summary>As <c>send</c>.</summary>
    public static nint Send(SafeFileHandle socket, in ReadOnlySequence<byte> bytes, int flags)
    {
        var parts = stackalloc SocketMessage.Part[MaxParts];
        var pins = new MemoryHandle[MaxParts];
        var count = 0;
        try
        {
            foreach (var memory in bytes)
            {
                if (memory.IsEmpty)
                    continue;
                if (count == MaxParts)
                    break;
                pins[count] = memory.Pin();
                parts[count] = new SocketMessage.Part { Start = pins[count].Pointer, Length = (nuint)memory.Length };
                count++;
            }

            var message = new SocketMessage { Parts = parts, PartCount = (nuint)count };
            return UnixSockets.sendmsg(socket, &message, flags);
        }
        finally
        {
            for (var i = 0; i < count; i++)
                pins[i].Dispose();
        }
    }
}

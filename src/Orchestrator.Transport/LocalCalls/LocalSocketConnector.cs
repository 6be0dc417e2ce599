using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>Connects to the socket of a coordinator's local transport.</summary>
/// <param name="path">The socket.</param>
/// <param name="most">The most connections that the coordinator grants one process.</param>
internal sealed class LocalSocketConnector(string path, int most)
{
    // For the process: its threads wait for the connections of all clients.
    private static readonly Lazy<SocketPoller> Poller = new(() => new SocketPoller("orchestrator", threads: 1, TimeProvider.System));

    // Of all clients of this process: together they are one to the coordinator.
    private static int s_open;

    /// <summary>Connects; null if this process has as many connections as it may have.</summary>
    /// <exception cref="SocketException">The coordinator does not answer.</exception>
    /// <exception cref="IOException">This process is out of file descriptors.</exception>
    public FrameConnection? Connect(IFrameReceiver receiver)
    {
        if (Interlocked.Increment(ref s_open) > most)
        {
            OnClosed();
            return null;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new FrameSocket(UnixSockets.Duplicate(socket.SafeHandle), Poller.Value, receiver, OnClosed)
            {
                TakesDescriptors = true,
            };
        }
        catch
        {
            OnClosed();
            throw;
        }
    }

    /// <summary>The frames of a socket that another process has passed to this one, which owns it from now on.</summary>
    public static FrameConnection Adopt(SafeFileHandle socket, IFrameReceiver receiver) =>
        new FrameSocket(socket, Poller.Value, receiver) { ReadsToEnd = true };

    private static void OnClosed() => Interlocked.Decrement(ref s_open);
}

using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Coordinator.Security;

/// <summary>The process at the other end of a Unix socket, as reported by the kernel: the peer cannot forge it.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="ProcessGroup">The group that it belongs to.</param>
internal sealed record PeerProcess(int Pid, int ProcessGroup)
{
    private const int SolSocket = 1;
    private const int SoPeerCredentials = 17;

    /// <summary>
    /// Drops connections of other users, and records the peer process of the others. The socket's directory already keeps other users out;
    /// this check holds even if the directory's mode is wrong.
    /// </summary>
    public static ConnectionDelegate Check(ConnectionDelegate next, SecurityInstruments instruments) => connection =>
    {
        // Queried at once: by the first call the process may have exited and its id may have been reused.
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket || Find(socket.SafeHandle) is not { } peer)
        {
            instruments.Refused(RefusalCause.OtherUser);
            return Task.CompletedTask;
        }

        connection.Items[typeof(PeerProcess)] = peer;
        return next(connection);
    };

    /// <summary>This process itself.</summary>
    public static PeerProcess Current { get; } = new(Environment.ProcessId, NativeMethods.getpgid(Environment.ProcessId));

    /// <summary>The peer process of a socket; null if it belongs to another user.</summary>
    public static unsafe PeerProcess? Find(SafeHandle socket)
    {
        var peer = default(UnixSockets.Credentials);
        var size = sizeof(UnixSockets.Credentials);
        return UnixSockets.getsockopt((int)socket.DangerousGetHandle(), SolSocket, SoPeerCredentials, &peer, &size) == 0
            && peer.UserId == NativeMethods.geteuid()
                ? new PeerProcess(peer.ProcessId, NativeMethods.getpgid(peer.ProcessId)) : null;
    }

    /// <summary>The peer process recorded in a connection's items; null for TCP.</summary>
    public static PeerProcess? Of(IDictionary<object, object?>? items) =>
        items is not null && items.TryGetValue(typeof(PeerProcess), out var peer) ? (PeerProcess?)peer : null;
}

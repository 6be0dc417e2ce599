using Microsoft.AspNetCore.Connections;

namespace Orchestrator.Coordinator.Security;

/// <summary>What the gate found out about a call: who makes it, and on whose account.</summary>
/// <param name="Authorization">The header, as it was sent; null for none.</param>
/// <param name="Version">The tokens that were valid, see <see cref="TokenStore.Version"/>.</param>
/// <param name="Caller">Who it is.</param>
/// <param name="Account">What that one has open.</param>
internal sealed record KnownCall(string? Authorization, long Version, Caller Caller, ClientAccount Account);

/// <summary>
/// The last call of a connection, so that the next one with the same credential costs no hash: mostly a connection has one for all its calls. It is compared
/// with what the same connection has sent before, so its time tells nobody anything new.
/// </summary>
internal sealed class ConnectionMemo
{
    private KnownCall? _last;

    public KnownCall? Last
    {
        get => Volatile.Read(ref _last);
        set => Volatile.Write(ref _last, value);
    }

    /// <summary>A connection middleware that gives each connection one.</summary>
    public static ConnectionDelegate Attach(ConnectionDelegate next) => connection =>
    {
        connection.Features.Set(new ConnectionMemo());
        return next(connection);
    };
}

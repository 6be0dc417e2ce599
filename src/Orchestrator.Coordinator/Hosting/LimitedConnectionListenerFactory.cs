using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// Listeners that hold at most as many connections as the server takes, plus a few that are being rejected. Kestrel rejects connections
/// beyond its limit only after accepting them, and accepts a burst of unauthenticated connections faster than it closes them: without this
/// class, such a burst could still take the last file descriptors. Further connections wait in the kernel's queue.
/// </summary>
internal sealed class LimitedConnectionListenerFactory(IConnectionListenerFactory inner, int connections)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>The maximum number of connections of one listener that are being rejected at the same time.</summary>
    public const int Refusals = 8;

    public bool CanBind(EndPoint endpoint) => inner is not IConnectionListenerFactorySelector selector || selector.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await inner.BindAsync(endpoint, cancellationToken), connections + Refusals);

    private sealed class Listener(IConnectionListener inner, int places) : IConnectionListener
    {
        private readonly SemaphoreSlim _places = new(places);
        private readonly CancellationTokenSource _unbound = new();

        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _unbound.Token);
                await _places.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (_unbound.IsCancellationRequested)
            {
                return null;
            }

            var connection = await inner.AcceptAsync(cancellationToken);
            if (connection is null)
                _places.Release();
            else
                connection.ConnectionClosed.UnsafeRegister(static places => ((SemaphoreSlim)places!).Release(), _places);
            return connection;
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await _unbound.CancelAsync();
            await inner.UnbindAsync(cancellationToken);
        }

        // The semaphore is not disposed: connections that outlive the listener still release their places.
        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}

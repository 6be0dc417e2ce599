using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// The holders of the places of one port. A connection on which no credential has been accepted is a stranger: it is closed after a while
/// once places are short, and the strangers of one peer get only a share of the places. So strangers never keep out a client with a
/// credential, and an idle probe stays connected while places are free.
/// </summary>
internal sealed class ConnectionPlaces : IDisposable
{
    /// <summary>How long a connection may remain a stranger while places are short.</summary>
    public static readonly TimeSpan StrangerLimit = TimeSpan.FromSeconds(10);

    // After a request to close (GOAWAY): time for the calls in progress.
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly int _places;
    private readonly TimeProvider _time;
    private readonly PeriodicCheck _timer;
    private readonly Lock _gate = new();

    // The oldest first.
    private readonly LinkedList<Place> _taken = [];
    private int _closing;

    public ConnectionPlaces(int places, TimeProvider time, ILogger<ConnectionPlaces> logger)
    {
        _places = places;
        _time = time;
        _timer = new PeriodicCheck(time, CheckInterval, CloseStrangers, logger);
    }

    /// <summary>The maximum number of strangers of one peer.</summary>
    public int ShareOfPeer => Math.Max(1, _places / 4);

    /// <summary>The number of places that strangers must leave free.</summary>
    public int Spare => Math.Max(2, _places / 16);

    /// <summary>A connection middleware that gives each connection a place.</summary>
    public ConnectionDelegate Attach(ConnectionDelegate next) => async connection =>
    {
        var place = new LinkedListNode<Place>(new Place(connection, PeerOf(connection.RemoteEndPoint), _time.GetTimestamp()));
        Enter(place)?.Abort(new ConnectionAbortedException("its place is needed, and no credential was accepted on it"));
        try
        {
            await next(connection);
        }
        finally
        {
            Leave(place);
        }
    };

    public void Dispose() => _timer.Dispose();

    /// <summary>Takes a place; returns the connection that must give up its own place for it.</summary>
    private ConnectionContext? Enter(LinkedListNode<Place> place)
    {
        lock (_gate)
        {
            _taken.AddLast(place);
            var held = _taken.Count - _closing;
            var victim = held > ShareOfPeer
                && Strangers().Where(other => other.Peer.Equals(place.Value.Peer)).Take(ShareOfPeer + 1).Count() > ShareOfPeer
                ? Strangers().First(other => other.Peer.Equals(place.Value.Peer))
                // Keeps some places free for the next connections, even while aborted ones are still closing: the server rejects
                // connections beyond its limit before they reach this middleware.
                : held > _places - Spare ? Strangers().FirstOrDefault() : null;
            if (victim is null)
                return null;
            victim.IsClosing = true;
            _closing++;
            return victim.Connection;
        }
    }

    private void Leave(LinkedListNode<Place> place)
    {
        lock (_gate)
        {
            _taken.Remove(place);
            if (place.Value.IsClosing)
                _closing--;
        }
    }

    private void CloseStrangers()
    {
        var (asked, late) = (new List<Place>(), new List<Place>());
        lock (_gate)
        {
            if (_taken.Count * 2 < _places)
                return;
            foreach (var stranger in Strangers())
            {
                if (_time.GetElapsedTime(stranger.Since) < StrangerLimit)
                    break;
                if (stranger.Asked is not { } since)
                {
                    stranger.Asked = _time.GetTimestamp();
                    asked.Add(stranger);
                }
                else if (_time.GetElapsedTime(since) >= CloseLimit)
                {
                    stranger.IsClosing = true;
                    _closing++;
                    late.Add(stranger);
                }
            }
        }

        asked.ForEach(stranger => stranger.Connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose());
        late.ForEach(stranger => stranger.Connection.Abort(
            new ConnectionAbortedException("no credential was accepted on it in time, and places are short")));
    }

    private IEnumerable<Place> Strangers() => _taken.Where(place => !place.IsClosing && !place.IsAuthenticated);

    /// <summary>The peer's identity: its address; for IPv6 the /64 prefix, since a single subscriber gets 2^64 addresses.</summary>
    private static IPAddress PeerOf(EndPoint? endpoint)
    {
        var address = (endpoint as IPEndPoint)?.Address ?? IPAddress.Loopback;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    private sealed class Place(ConnectionContext connection, IPAddress peer, long since)
    {
        private readonly ConnectionAuthenticationCache? _cache = connection.Features.Get<ConnectionAuthenticationCache>();

        public ConnectionContext Connection => connection;

        public IPAddress Peer => peer;

        public bool IsAuthenticated => _cache is { IsAuthenticated: true };

        public long Since => since;

        /// <summary>When the connection was asked to close; null if it was not.</summary>
        public long? Asked { get; set; }

        /// <summary>The connection was aborted and has not closed yet.</summary>
        public bool IsClosing { get; set; }
    }
}

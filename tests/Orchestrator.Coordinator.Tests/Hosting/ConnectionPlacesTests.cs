using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Security;

namespace Orchestrator.Coordinator.Tests.Hosting;

/// <summary>Part 5, 14: which connections give way where places are short.</summary>
public sealed class ConnectionPlacesTests
{
    private const int Places = 40;

    /// <summary>
    /// Part 5, 14: with half of the connections in use, a stranger of ten seconds is asked to close, and cut off where it does not; a
    /// client never.
    /// </summary>
    [Fact]
    public async Task Strangers_are_closed_after_a_while_where_half_of_the_places_are_taken()
    {
        var time = new HandTime();
        using var places = new ConnectionPlaces(Places, time, NullLogger<ConnectionPlaces>.Instance);
        var client = await Peer.EnterAsync(places, "10.0.0.1", isAuthenticated: true);
        var strangers = new List<Peer>();
        for (var i = 0; i < (Places / 2) - 2; i++)
            strangers.Add(await Peer.EnterAsync(places, $"10.0.1.{i}"));
        time.Advance(ConnectionPlaces.StrangerLimit * 100);
        Assert.All(strangers, stranger => Assert.False(stranger.IsAsked || stranger.IsAborted));
        // One more, and half of them are in use.
        var last = await Peer.EnterAsync(places, "10.0.2.1");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.All(strangers, stranger => Assert.True(stranger.IsAsked && !stranger.IsAborted));
        Assert.False(last.IsAsked);
        strangers[0].Leave();
        var next = await Peer.EnterAsync(places, "10.0.2.2");
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.All(strangers.Skip(1), stranger => Assert.True(stranger.IsAborted));
        Assert.False(client.IsAsked || client.IsAborted || next.IsAborted || last.IsAborted);
    }

    /// <summary>
    /// Part 5, 14: one peer's strangers may have a quarter of the connections, and the oldest gives way; addresses of one IPv6 network are
    /// one peer.
    /// </summary>
    [Theory]
    [InlineData("10.0.0.{0}", false)]
    [InlineData("10.0.0.7", true)]
    [InlineData("::ffff:10.0.0.7", true)]
    [InlineData("2001:db8::{0}", true)]
    [InlineData("2001:db8:0:{0}::1", false)]
    public async Task A_peer_has_a_share(string address, bool isOnePeer)
    {
        using var places = new ConnectionPlaces(Places, new HandTime(), NullLogger<ConnectionPlaces>.Instance);
        var client = await Peer.EnterAsync(places, "10.0.0.7", isAuthenticated: true);
        var strangers = new List<Peer>();
        for (var i = 0; i <= places.ShareOfPeer; i++)
        {
            Assert.DoesNotContain(strangers, stranger => stranger.IsAborted);
            strangers.Add(await Peer.EnterAsync(places, string.Format(System.Globalization.CultureInfo.InvariantCulture, address, i)));
        }

        Assert.Equal(isOnePeer, strangers[0].IsAborted);
        Assert.DoesNotContain(strangers.Skip(1), stranger => stranger.IsAborted);
        Assert.False(client.IsAborted);
    }

    /// <summary>Part 5, 14: when all connections are in use the oldest stranger gives way, and no client.</summary>
    [Fact]
    public async Task The_oldest_stranger_gives_way_where_all_places_are_taken()
    {
        using var places = new ConnectionPlaces(Places, new HandTime(), NullLogger<ConnectionPlaces>.Instance);
        var all = new List<Peer>();
        for (var i = 0; i < Places - places.Spare; i++)
            all.Add(await Peer.EnterAsync(places, $"10.0.{i}.1", isAuthenticated: i % 2 == 0));
        Assert.DoesNotContain(all, peer => peer.IsAborted);
        await Peer.EnterAsync(places, "10.1.0.1", isAuthenticated: true);
        Assert.Equal([1], all.Index().Where(peer => peer.Item.IsAborted).Select(peer => peer.Index));
        all[1].Leave();
        await Peer.EnterAsync(places, "10.1.0.2");
        Assert.Equal([1, 3], all.Index().Where(peer => peer.Item.IsAborted).Select(peer => peer.Index));
    }

    private sealed class Peer : IConnectionLifetimeNotificationFeature
    {
        private readonly TaskCompletionSource _left = new();

        public bool IsAsked { get; private set; }

        public bool IsAborted { get; private set; }

        public CancellationToken ConnectionClosedRequested { get; set; }

        public static async Task<Peer> EnterAsync(ConnectionPlaces places, string address, bool isAuthenticated = false)
        {
            var peer = new Peer();
            var memo = new ConnectionAuthenticationCache(PortKind.Grpc);
            if (isAuthenticated)
                memo.MarkAuthenticated();
            var connection = new Connection(peer) { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1) };
            connection.Features.Set(memo);
            connection.Features.Set<IConnectionLifetimeNotificationFeature>(peer);
            var entered = new TaskCompletionSource();
            _ = places.Attach(_ =>
            {
                entered.SetResult();
                return peer._left.Task;
            })(connection);
            await entered.Task;
            return peer;
        }

        public void RequestClose() => IsAsked = true;

        public void Leave() => _left.SetResult();

        private sealed class Connection(Peer peer) : DefaultConnectionContext
        {
            public override void Abort(ConnectionAbortedException abortReason) => peer.IsAborted = true;
        }
    }
}

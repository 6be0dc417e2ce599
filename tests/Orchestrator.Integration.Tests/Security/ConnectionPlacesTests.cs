using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>Part 5, 14: connections without an accepted credential never keep out authenticated ones.</summary>
public sealed class ConnectionPlacesTests : IDisposable
{
    private const int Places = 40;
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));

    public void Dispose() => _limit.Dispose();

    /// <summary>Part 5, 14: strangers that speak HTTP/2 and keep their connections leave room for a client, on both ports.</summary>
    [Fact]
    public async Task Strangers_that_hold_all_places_make_room_for_a_client_with_a_credential()
    {
        // Some 35 connections for each port.
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(["/usr/bin/prlimit", "--nofile=450:450"]);
        var strangers = new List<RawHttp2>();
        try
        {
            for (var i = 0; i < 120; i++)
            {
                var stranger = new RawHttp2(coordinator.GrpcAddress);
                strangers.Add(stranger);
                await stranger.Begin().SendAsync(_limit.Token);
                // The stranger has a connection or was turned away: the rest of the test does not depend on a race.
                await stranger.ReadAsync(_limit.Token);
            }

            using var sockets = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            for (var i = 0; i < 120; i++)
                strangers.Add(new RawHttp2(coordinator.HttpAddress));
            // New clients, not one that was connected before.
            for (var i = 0; i < 5; i++)
            {
                var status = await new AdminService.AdminServiceClient(coordinator.Connect()).GetStatusAsync(
                    new GetStatusRequest(), CoordinatorProcess.Deadline());
                Assert.Equal(2, status.Status.Workers.Count);
            }

            Assert.Equal("ready\n", await sockets.GetStringAsync(new Uri(coordinator.HttpAddress + "/readyz"), _limit.Token));
        }
        finally
        {
            strangers.ForEach(stranger => stranger.Dispose());
        }
    }

    /// <summary>
    /// Part 5, 14: with half of the connections in use, a stranger of ten seconds is asked to close, and cut off where it does not; a
    /// client never.
    /// </summary>
    [Fact]
    public async Task Strangers_are_closed_after_a_while_where_half_of_the_places_are_taken()
    {
        var time = new HandTime();
        using var places = new ConnectionPlaces(Places, time);
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
        using var places = new ConnectionPlaces(Places, new HandTime());
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
        using var places = new ConnectionPlaces(Places, new HandTime());
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

    /// <summary>
    /// Part 5, 14: <c>endpoint.json</c> names the Unix socket, and the command falls back to it where the port rejects it or never answers.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_command_falls_back_to_the_local_socket(bool turnsAway)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        var file = Path.Combine(coordinator.DataDirectory, "endpoint.json");
        var content = JsonNode.Parse(await File.ReadAllTextAsync(file, _limit.Token))!;
        Assert.StartsWith("unix:/", content["local"]!.GetValue<string>(), StringComparison.Ordinal);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var turning = turnsAway ? TurnAwayAsync(listener) : Task.CompletedTask;
        content["grpc"] = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        await File.WriteAllTextAsync(file, content.ToJsonString(), _limit.Token);
        var (code, output) = await CommandLine.RunAsync("run", "sum_of_squares", """{"n": 3}""", "--data-dir", coordinator.DataDirectory);
        Assert.True(code == 0, output);
        Assert.Equal("5", output.Trim());
        listener.Stop();
        await Record.ExceptionAsync(() => turning);
    }

    private async Task TurnAwayAsync(TcpListener listener)
    {
        while (true)
            (await listener.AcceptSocketAsync(_limit.Token)).Dispose();
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

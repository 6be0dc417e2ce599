using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>Part 5, 14: connections without an accepted credential never keep out authenticated ones.</summary>
public sealed class ConnectionPlacesTests : IDisposable
{
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
}

using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>A network that resets connections under a session.</summary>
public sealed class CutConnectionTests
{
    [Fact]
    public async Task Operations_of_a_session_whose_connection_is_cut_are_done_once_and_are_no_error_of_the_coordinator()
    {
        // Its log is checked when it has ended.
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var relay = new FaultRelay(coordinator.GrpcAddress);
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = relay.Address, Token = coordinator.Token });
        await using var session = await client.OpenSessionAsync("often cut");
        var value = session.Value("cut");
        var cuts = 0;
        for (var round = 1; round <= 30; round++)
        {
            var adding = Enumerable.Range(0, 20).Select(_ => value.AddAsync(1)).ToArray();
            // Some have been done by then, some are in flight, some are not sent yet.
            await adding[round % adding.Length];
            cuts += relay.CutAll();
            await Task.WhenAll(adding).WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(round * 20, await value.ReadAsync());
        }

        Assert.True(cuts >= 30, $"{cuts} connections were cut");
    }
}

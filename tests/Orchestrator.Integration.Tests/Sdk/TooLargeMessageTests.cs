using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>Part 8, 5: what no message of the coordinator holds fails by itself, and takes nothing from what shares its stream.</summary>
public sealed class TooLargeMessageTests
{
    // Payloads of 1 MB leave 34 MB for a message.
    private const int TooLarge = 40_000_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_fails_alone_with_the_limit_in_its_error(bool isLocal)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--max-payload", "1MB");
        var options = isLocal
            ? new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory }
            : new OrchestratorClientOptions { Endpoint = coordinator.GrpcAddress, Token = coordinator.Token };
        await using var client = await OrchestratorClient.ConnectAsync(options);
        await using var session = await client.OpenSessionAsync("large");
        var queue = session.Queue<byte[]>("large");
        await client.CreateQueueAsync("large");
        await queue.PutAsync([1]).Soon();
        Assert.Equal([1], await queue.GetAsync().Soon());
        var waiting = queue.GetAsync();
        var running = await client.SubmitAsync<int>("sleep", new { ms = 3_000 }).Soon();

        AssertNamed(await Assert.ThrowsAsync<ResourceExhaustedException>(() => queue.PutAsync(new byte[TooLarge]).Soon()));
        // With a request id a task whose acceptance was not seen is submitted again, which here would never end.
        foreach (var run in (RunOptions[])[new(), new() { RequestId = "large" }])
        {
            AssertNamed(await Assert.ThrowsAsync<ResourceExhaustedException>(
                () => client.RunAsync<byte[]>("echo", new byte[TooLarge], run).Soon()));
        }

        await queue.PutAsync([2]).Soon();
        Assert.Equal([2], await waiting.Soon());
        Assert.Equal(3_000, await running.Soon());
    }

    private static void AssertNamed(ResourceExhaustedException error) =>
        Assert.Contains("35,651,584 (message_bytes)", error.Message, StringComparison.Ordinal);
}

using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.TestKit;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>
/// Four tasks in two worker processes increment one entry of a dict, 10,000 times in all. Their coordinator runs nothing else, so that each
/// of its two workers gets two of them: tasks that have never run, or run long, are spread one by one.
/// </summary>
[Trait("Kind", "slow")]
public sealed class IncrementTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const int Tasks = 4;
    private const int Times = 2_500;
    private const int MaxRounds = 20;

    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Theory]
    [InlineData("lock")]
    [InlineData("add")]
    [InlineData("guard")]
    public async Task Protected_increments_of_four_tasks_are_all_counted(string protection) =>
        Assert.Equal(Tasks * Times, await CountAsync(protection));

    [Fact]
    public async Task Unprotected_increments_get_lost()
    {
        // A conflict is almost certain in one round of four times 2,500 reads and writes; more rounds make sure.
        for (var round = 1; round <= MaxRounds; round++)
        {
            var counted = await CountAsync("none");
            Assert.InRange(counted, Times / 2, Tasks * Times);
            if (counted < Tasks * Times)
                return;
        }

        Assert.Fail($"no increment was lost in {MaxRounds} rounds: reads and writes of different processes did not meet");
    }

    private async Task<double> CountAsync(string protection)
    {
        var dict = Unique("dict");
        var input = $$"""{"dict": "{{dict}}", "key": "n", "times": {{Times}}, "protection": "{{protection}}"}""";
        var results = await _coordinator.StreamAsync(
            Enumerable.Range(0, Tasks).Select(i => Specs.Json("increment", input, tag: (ulong)i)), seconds: 300);
        Assert.All(results, result => Assert.Null(result.Error));
        Assert.Equal([2, 2], results.CountBy(result => result.Worker).Select(worker => worker.Value));
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = _coordinator.DataDirectory });
        await using var session = await client.OpenSessionAsync();
        return (await session.Dict(dict).GetAsync("n"))!.Json.NumberValue;
    }
}

using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Tasks in different worker processes that work on the same objects.</summary>
public sealed class TaskExchangeTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task A_task_in_one_worker_and_a_task_in_another_talk_through_a_pipe()
    {
        // Each of the two handlers is offered by one worker only, so the tasks run in two processes; and each waits for every message of
        // the other.
        await using var coordinator = await CoordinatorProcess.StartAsync(
            ["--workers", "1", .. TestWorker.ArgumentsBeside(Environment.ProcessPath!)]);
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory });
        await client.Contract.CreatePipeAsync(new PipeSpec { Name = "between", Duplex = true });
        var echo = (await coordinator.SubmitAsync(Specs.Json("pipe_echo", """{"pipe": "between", "end": "B"}"""))).Single();
        await coordinator.WaitUntilRunningAsync(echo);
        var ask = (await coordinator.SubmitAsync(Specs.Json(TestWorker.PipeAskHandler, """{"pipe": "between", "count": 100}"""))).Single();
        var results = await coordinator.WaitAsync([echo, ask]);
        Assert.All(results, result => Assert.Equal((null, 100), (result.Error, result.Output.Json.NumberValue)));
        Assert.Equal(["testkit-1", "worker-1"], results.Select(result => result.Worker.Split('#')[0]).Order());
    }

    [Fact]
    public async Task What_one_task_produces_others_consume()
    {
        const int Room = 100;
        const int Count = 5 * Room;
        await using var client = await ConnectAsync();
        // The producer waits for room again and again: the queue holds a fifth of its items, and leased items take room until they are
        // acknowledged.
        var queue = (await client.Contract.CreateQueueAsync(new QueueSpec { Name = Unique("queue"), MaxItems = Room })).Spec.Name;
        var producer = await _coordinator.SubmitAsync(Specs.Json("produce", $$"""{"queue": "{{queue}}", "count": {{Count}}}"""));
        var consumed = new List<double>();
        while (consumed.Count < Count)
        {
            var result = await _coordinator.RunAsync(Specs.Json("consume", $$"""{"queue": "{{queue}}", "count": {{Room}}}"""));
            Assert.Null(result.Error);
            consumed.AddRange(result.Output.Json.ListValue.Values.Select(value => value.NumberValue));
        }

        Assert.Equal(Count, (await _coordinator.WaitAsync(producer)).Single().Output.Json.NumberValue);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (double)i), consumed);
        Assert.Equal(0, (await client.Contract.GetQueueAsync(queue)).UnfinishedItems);
    }

    [Theory]
    [InlineData("consume", """{"queue": "no-such-queue", "count": 1}""", "there is no queue \"no-such-queue\"")]
    [InlineData("consume", """{"queue": "q", "count": 0}""", "field 'count' must be between 1 and 10000, got 0")]
    [InlineData("produce", """{"queue": "bad name", "count": 1}""", "bad name")]
    [InlineData("pipe_echo", """{"pipe": "p", "end": "C"}""", "field 'end' must be \"A\" or \"B\", got \"C\"")]
    [InlineData("pipe_echo", """{"pipe": "no-such-pipe", "end": "A"}""", "there is no pipe \"no-such-pipe\"")]
    [InlineData("increment", """{"dict": "d", "key": "k", "protection": "luck"}""",
        "field 'protection' must be none, lock, add or guard, got \"luck\"")]
    [InlineData("hold", """{"locks": ["bad name"]}""", "bad name")]
    public async Task Bad_input_is_told_as_such(string handler, string input, string says)
    {
        var result = await _coordinator.RunAsync(Specs.Json(handler, input));
        Assert.Equal(ErrorReason.Invalid, result.Error?.Reason);
        Assert.StartsWith($"input of '{handler}': ", result.Error!.Message, StringComparison.Ordinal);
        Assert.Contains(says, result.Error.Message, StringComparison.Ordinal);
    }

    private Task<OrchestratorClient> ConnectAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = _coordinator.DataDirectory });
}

using Orchestrator.Client;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Tasks in different worker processes that work on the same objects.</summary>
public sealed class TaskExchangeTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const int Tasks = 4;
    private const int Times = 10_000;

    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task Two_tasks_in_two_workers_talk_through_a_pipe()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync("talker");
        var names = new[] { Unique("pipe"), Unique("pipe") };
        foreach (var name in names)
            await client.CreatePipeAsync(new PipeSpec { Name = name, Duplex = true });
        // A word goes to one task, by that one's pipe, and comes back; then to the other: each echoes in its own process.
        var ids = await _coordinator.SubmitAsync(names.Select(name => Specs.Json("pipe_echo", $$"""{"pipe": "{{name}}", "end": "B"}""")));
        foreach (var name in names)
        {
            for (var i = 0; i < 100; i++)
            {
                await session.Pipe(name).EndA.SendAsync(Payloads.FromNumber(i));
                Assert.Equal(i, (await session.Pipe(name).EndA.ReceiveAsync())!.Json.NumberValue);
            }

            await session.Pipe(name).EndA.CloseAsync();
        }

        Assert.All(await _coordinator.WaitAsync(ids), result => Assert.Equal(100, result.Output.Json.NumberValue));
    }

    [Theory]
    [InlineData("lock")]
    [InlineData("add")]
    [InlineData("guard")]
    public async Task Protected_increments_of_four_tasks_are_all_counted(string protection) =>
        Assert.Equal(Tasks * Times, await IncrementAsync(protection));

    [Fact]
    public async Task Unprotected_increments_get_lost() => Assert.InRange(await IncrementAsync("none"), Times / 2, Tasks * Times - 1);

    [Fact]
    public async Task What_one_task_produces_another_consumes()
    {
        await using var client = await ConnectAsync();
        var queue = (await client.CreateQueueAsync(new QueueSpec { Name = Unique("queue"), MaxItems = 10 })).Spec.Name;
        var results = await _coordinator.StreamAsync(
        [
            Specs.Json("consume", $$"""{"queue": "{{queue}}", "count": 500}""", tag: 1),
            Specs.Json("produce", $$"""{"queue": "{{queue}}", "count": 500}""", tag: 2),
        ]);
        Assert.Equal(500, results.Single(result => result.Tag == 2).Output.Json.NumberValue);
        Assert.Equal(
            Enumerable.Range(0, 500).Select(i => (double)i),
            results.Single(result => result.Tag == 1).Output.Json.ListValue.Values.Select(value => value.NumberValue));
        Assert.Equal(0, (await client.GetQueueAsync(queue)).UnfinishedItems);
    }

    [Theory]
    [InlineData("consume", """{"queue": "no-such-queue", "count": 1}""", "there is no queue \"no-such-queue\"")]
    [InlineData("consume", """{"queue": "q", "count": 0}""", "field 'count' must be between 1 and 10000, got 0")]
    [InlineData("produce", """{"queue": "bad name", "count": 1}""", "bad name")]
    [InlineData("pipe_echo", """{"pipe": "p", "end": "C"}""", "field 'end' must be \"A\" or \"B\", got \"C\"")]
    [InlineData("pipe_echo", """{"pipe": "no-such-pipe", "end": "A"}""", "there is no pipe \"no-such-pipe\"")]
    [InlineData("increment", """{"dict": "d", "key": "k", "protection": "luck"}""", "field 'protection' must be none, lock, add or guard, got \"luck\"")]
    [InlineData("hold", """{"locks": ["bad name"]}""", "bad name")]
    public async Task Bad_input_is_told_as_such(string handler, string input, string says)
    {
        var result = await _coordinator.RunAsync(Specs.Json(handler, input));
        Assert.Equal(ErrorReason.Invalid, result.Error?.Reason);
        Assert.StartsWith($"input of '{handler}': ", result.Error!.Message, StringComparison.Ordinal);
        Assert.Contains(says, result.Error.Message, StringComparison.Ordinal);
    }

    private async Task<double> IncrementAsync(string protection)
    {
        var dict = Unique("dict");
        // All stand at one lock or write one entry at once: a task is 10,000 round trips long, and they start together.
        var input = $$"""{"dict": "{{dict}}", "key": "n", "times": {{Times}}, "protection": "{{protection}}"}""";
        var results = await _coordinator.StreamAsync(Enumerable.Range(0, Tasks).Select(i => Specs.Json("increment", input, tag: (ulong)i)), seconds: 300);
        Assert.All(results, result => Assert.Null(result.Error));
        Assert.Equal(2, results.Select(result => result.Worker).Distinct().Count());
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        return (await session.Dict(dict).GetAsync("n"))!.Json.NumberValue;
    }

    private Task<OrchestratorClient> ConnectAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = _coordinator.DataDirectory });
}

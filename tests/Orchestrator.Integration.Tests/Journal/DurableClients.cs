using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>
/// Clients that put, take, count and submit until their coordinator ends, and record each request and its response in a ledger.
/// </summary>
/// <param name="coordinator">The coordinator that they use.</param>
/// <param name="ledger">Their ledger, over the runs of several coordinators.</param>
/// <param name="level">The durability of all operations.</param>
/// <param name="pause">From one operation of a client to its next.</param>
internal sealed class DurableClients(CoordinatorProcess coordinator, Ledger ledger, Durability level, TimeSpan pause = default)
{
    private const string Jobs = "jobs";

    private readonly QueueService.QueueServiceClient _queues = new(coordinator.Invoker);
    private readonly StateService.StateServiceClient _state = new(coordinator.Invoker);

    /// <summary>Starts them; each ends with the coordinator.</summary>
    /// <param name="round">A number that no other clients of this ledger have had.</param>
    public async Task<IReadOnlyList<Task>> StartAsync(int round)
    {
        await _queues.CreateQueueAsync(
            new CreateQueueRequest { Spec = new QueueSpec { Name = Jobs, MaxItems = 1_000_000, Durability = level } }, Soon);
        return [UntilRemovedAsync(number => PutAsync($"{round}-0-{number}")), UntilRemovedAsync(number => PutAsync($"{round}-1-{number}")),
            UntilRemovedAsync(_ => TakeAsync()), UntilRemovedAsync(_ => CountAsync()), UntilRemovedAsync(SubmitAsync)];
    }

    private async Task PutAsync(string name)
    {
        ledger.Begin(name);
        await _queues.PutAsync(new PutRequest { Queue = Jobs, Items = { new QueueItem { Body = Text(name) } }, RequestId = name }, Soon);
        ledger.Put(name);
    }

    private async Task TakeAsync()
    {
        var taken = await _queues.GetAsync(new GetRequest { Queue = Jobs, MaxItems = 1, Leased = true }, Soon);
        var item = taken.Items.Single();
        var name = Read(item.Body);
        ledger.Settling(name);
        var settled = await _queues.SettleAsync(
            new SettleRequest { Queue = Jobs, LeaseIds = { item.LeaseId }, Settlement = Settlement.Done, SessionId = taken.SessionId },
            Soon);
        ledger.Settled(name, settled.Settled);
    }

    private async Task CountAsync()
    {
        ledger.Adding();
        var after = await _state.UpdateValueAsync(
            new UpdateValueRequest
            {
                Value = Ledger.Counter,
                Edit = new NumberEdit { Add = new Number { Integer = 1 } },
                Durability = level
            }, Soon);
        ledger.Added(after.After.Integer);
    }

    private async Task SubmitAsync(int number)
    {
        // Two of three may run twice; the third must not.
        var options = new TaskOptions { Durability = level, ResultTtl = Specs.Seconds(3_600) };
        if (number % 3 != 0)
            options.Retry = new RetryPolicy { MaxAttempts = 100, RetryWorkerLost = true };
        var submit = new SubmitTasksRequest { Tasks = { Specs.Json("echo", $"{number}", options) } };
        var accepted = await coordinator.Tasks.SubmitTasksAsync(submit, Soon);
        ledger.Submitted(accepted.TaskIds.Single(), number, number % 3 != 0);
    }

    private async Task UntilRemovedAsync(Func<int, Task> step)
    {
        for (var number = 0; ; number++)
        {
            try
            {
                await step(number);
            }
            catch (RpcException exception)
                when (exception.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled or StatusCode.Unknown)
            {
                return;
            }

            if (pause > TimeSpan.Zero)
                await Task.Delay(pause, TimeProvider.System);
        }
    }
}

using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>F7: a coordinator is killed while clients put, settle and submit; the next one on its data directory has everything that was acknowledged.</summary>
public sealed class DurableRestartTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-journal-").FullName;

    // More rounds by hand: ORCHESTRATOR_KILL_ROUNDS=50.
    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("ORCHESTRATOR_KILL_ROUNDS"), out var rounds) ? rounds : 5;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Disk)]
    public async Task What_was_acknowledged_before_a_kill_is_there_and_nothing_is_settled_twice(Durability level)
    {
        var ledger = new Ledger();
        for (var round = 0; round < Rounds; round++)
        {
            await using var coordinator = await CoordinatorProcess.StartInAsync(_directory, "--workers", "1", "--hot-spares", "0");
            var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
            await queues.CreateQueueAsync(
                new CreateQueueRequest { Spec = new QueueSpec { Name = "jobs", MaxItems = 1_000_000, Durability = level } }, Soon);
            await ledger.CheckTasksAsync(coordinator);
            var clients = new[]
            {
                PutAsync(queues, ledger, round, 0), PutAsync(queues, ledger, round, 1), TakeAsync(queues, ledger), CountAsync(coordinator, ledger, level),
                SubmitAsync(coordinator, ledger, level),
            };
            // Not before each client has had some answers; how many more is up to the machine.
            await ledger.WaitForAnswersAsync(round);
            await coordinator.KillAndWaitAsync();
            await Task.WhenAll(clients);
        }

        await using var last = await CoordinatorProcess.StartInAsync(_directory, "--workers", "1", "--hot-spares", "0");
        await ledger.CheckTasksAsync(last);
        await ledger.CheckCounterAsync(last);
        await ledger.CheckQueueAsync(last);
    }

    private static Task PutAsync(QueueService.QueueServiceClient queues, Ledger ledger, int round, int client) => UntilKilledAsync(async number =>
    {
        var name = $"{round}-{client}-{number}";
        ledger.Begin(name);
        await queues.PutAsync(new PutRequest { Queue = "jobs", Items = { new QueueItem { Body = Text(name) } }, RequestId = name }, Soon);
        ledger.Put(name);
    });

    private static Task TakeAsync(QueueService.QueueServiceClient queues, Ledger ledger) => UntilKilledAsync(async _ =>
    {
        var taken = await queues.GetAsync(new GetRequest { Queue = "jobs", MaxItems = 1, Leased = true }, Soon);
        var item = taken.Items.Single();
        var name = Read(item.Body);
        ledger.Settling(name);
        var settled = await queues.SettleAsync(
            new SettleRequest { Queue = "jobs", LeaseIds = { item.LeaseId }, Settlement = Settlement.Done, SessionId = taken.SessionId }, Soon);
        ledger.Settled(name, settled.Settled);
    });

    private static Task CountAsync(CoordinatorProcess coordinator, Ledger ledger, Durability level)
    {
        var state = new StateService.StateServiceClient(coordinator.Invoker);
        return UntilKilledAsync(async _ =>
        {
            ledger.Adding();
            var after = await state.UpdateValueAsync(
                new UpdateValueRequest { Value = "count", Edit = new NumberEdit { Add = new Number { Integer = 1 } }, Durability = level }, Soon);
            ledger.Added(after.After.Integer);
        });
    }

    private static Task SubmitAsync(CoordinatorProcess coordinator, Ledger ledger, Durability level) => UntilKilledAsync(async number =>
    {
        // Two of three may run twice; the third must not.
        var options = new TaskOptions { Durability = level, ResultTtl = Specs.Seconds(3_600) };
        if (number % 3 != 0)
            options.Retry = new RetryPolicy { MaxAttempts = 100, RetryWorkerLost = true };
        var submit = new SubmitTasksRequest { Tasks = { Specs.Json("echo", $"{number}", options) } };
        var accepted = await coordinator.Tasks.SubmitTasksAsync(submit, Soon);
        ledger.Submitted(accepted.TaskIds.Single(), number, number % 3 != 0);
    });

    /// <summary>Again and again, until the coordinator is gone.</summary>
    private static async Task UntilKilledAsync(Func<int, Task> step)
    {
        for (var number = 0; ; number++)
        {
            try
            {
                await step(number);
            }
            catch (RpcException exception) when (exception.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled or StatusCode.Unknown)
            {
                return;
            }
        }
    }
}

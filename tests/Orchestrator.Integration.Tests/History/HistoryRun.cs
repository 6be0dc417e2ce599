using System.Diagnostics;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Tasks;
using Orchestrator.Protocol;
using Orchestrator.TestKit;
using Orchestrator.TestKit.History;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.History;

/// <summary>
/// A coordinator whose workers are killed while their tasks use shared objects, together with clients in this process whose connections are
/// cut.
/// </summary>
/// <param name="seed">Determines the choices of operations and of faults.</param>
/// <param name="kills">How many workers are killed.</param>
/// <param name="directory">Where the clients record.</param>
internal sealed class HistoryRun(int seed, int kills, string directory) : IDisposable
{
    private const int ClientSessions = 3;
    private const int TaskLanes = 4;
    private const int StepsOfATask = 12;
    private const int StepsBetweenFaults = 8;

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, long> _ended = [];
    private readonly CancellationTokenSource _enough = new();
    private int _clientSteps;
    private int _tasks;

    /// <summary>The sessions of tasks that were lost with their worker, and when the loss was known.</summary>
    public IReadOnlyDictionary<string, long> Ended => _ended;

    /// <summary>How many tasks completed.</summary>
    public int Succeeded { get; private set; }

    /// <summary>How many connections were cut.</summary>
    public int Cuts { get; private set; }

    public void Dispose() => _enough.Dispose();

    public async Task RunAsync()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            [.. CoordinatorProcess.HotSpare, .. TestWorker.Arguments(Environment.ProcessPath!)]);
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        foreach (var name in new[] { SharedObjects.Queue, SharedObjects.LeasedQueue })
        {
            var spec = new QueueSpec { Name = name, Kind = QueueKind.Fifo, MaxItems = SharedObjects.QueueCapacity };
            await queues.CreateQueueAsync(new CreateQueueRequest { Spec = spec }, CoordinatorProcess.Deadline());
        }

        await using var relay = new FaultRelay(coordinator.GrpcAddress);
        await Task.WhenAll(
        [
            EndingAllAsync(FailAsync(coordinator, relay)),
            .. Enumerable.Range(0, TaskLanes).Select(_ => EndingAllAsync(RunTasksAsync(coordinator))),
            .. Enumerable.Range(0, ClientSessions).Select(
                index => EndingAllAsync(RunClientAsync($"client-{index}", relay.Address, coordinator.Token))),
        ]);

        await using var client = await ConnectAsync(coordinator.GrpcAddress, coordinator.Token);
        await using var session = await client.OpenSessionAsync("last");
        using var recorder = new HistoryRecorder(directory, "last");
        await new HistoryClient(session, "last", seed, recorder).FinishAsync();
    }

    /// <summary>The first part that completes or fails ends the others.</summary>
    private async Task EndingAllAsync(Task part)
    {
        try
        {
            await part;
        }
        finally
        {
            await _enough.CancelAsync();
        }
    }

    /// <summary>Kills workers and cuts connections, each time after the clients have made progress.</summary>
    private async Task FailAsync(CoordinatorProcess coordinator, FaultRelay relay)
    {
        for (var killed = 0; killed < kills && !_enough.IsCancellationRequested;)
        {
            var next = Volatile.Read(ref _clientSteps) + StepsBetweenFaults;
            while (Volatile.Read(ref _clientSteps) < next && !_enough.IsCancellationRequested)
                await Task.Yield();
            if (_random.Next(3) == 0)
            {
                Cuts += relay.CutAll();
                continue;
            }

            // A worker that has finished a task is not taken for one that cannot start.
            var victims = (await coordinator.WorkersAsync()).Where(worker => worker is { RunningTasks: > 0, CompletedTasks: > 0, Pid: > 0 })
                .ToArray();
            if (victims.Length == 0)
                continue;
            Signals.Send(victims[_random.Next(victims.Length)].Pid, Signals.Kill);
            killed++;
        }
    }

    private async Task RunTasksAsync(CoordinatorProcess coordinator)
    {
        while (!_enough.IsCancellationRequested)
        {
            var taskSeed = unchecked((seed * 31) + Interlocked.Increment(ref _tasks));
            var input = $$"""{"directory": "{{directory}}", "seed": {{taskSeed}}, "steps": {{StepsOfATask}}}""";
            var result = await coordinator.RunAsync(Specs.Json(TestWorker.HistoryHandler, input), seconds: 60);
            var known = Stopwatch.GetTimestamp();
            lock (_ended)
            {
                if (result.State == TaskState.Succeeded)
                    Succeeded++;
                else if (result.State == TaskState.WorkerLost)
                    _ended.Add($"{ProtocolConstants.TaskSessionPrefix}{result.TaskId}-{result.Attempt}", known);
                else
                    throw new InvalidOperationException($"task {result.TaskId} ended {result.State}: {result.Error?.Message}");
            }
        }
    }

    private async Task RunClientAsync(string name, string address, string token)
    {
        await using var client = await ConnectAsync(address, token);
        await using var session = await client.OpenSessionAsync(name);
        using var recorder = new HistoryRecorder(directory, name);
        var history = new HistoryClient(session, name, seed ^ name[^1], recorder);
        while (!_enough.IsCancellationRequested)
        {
            await history.RunAsync(1, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
            Interlocked.Increment(ref _clientSteps);
        }
    }

    private static Task<OrchestratorClient> ConnectAsync(string address, string token) =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { Endpoint = address, Token = token });
}

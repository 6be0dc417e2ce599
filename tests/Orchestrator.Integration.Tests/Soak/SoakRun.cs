using System.Diagnostics;
using System.Globalization;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Soak;

/// <summary>A coordinator, its clients, a source of faults, and a second coordinator with a journal that is killed.</summary>
internal sealed class SoakRun : IAsyncDisposable
{
    private static readonly TimeSpan s_betweenFaults = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_betweenNotes = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_finish = TimeSpan.FromSeconds(90);

    // The coordinator returns memory after seconds of inactivity, and checks again after a minute if it was not worthwhile.
    private static readonly TimeSpan s_memoryReturn = TimeSpan.FromSeconds(100);

    private readonly CoordinatorProcess _coordinator;
    private readonly FaultRelay _relay;
    private readonly TaskLedger _ledger;
    private readonly Random _random;
    private readonly SoakHarm _harm;
    private readonly SoakAttack _attack;
    private readonly SoakDurable _durable;
    private readonly Action<string> _write;
    private readonly SortedDictionary<SoakFault, long> _injected = [];
    private readonly List<SoakClient> _clients = [];
    private readonly SoakCounter _counter;

    private SoakRun(
        CoordinatorProcess coordinator, TaskLedger ledger, Random random, SoakHarm harm, SoakDurable durable, Action<string> write)
    {
        (_coordinator, _ledger, _random, _harm, _durable, _write) = (coordinator, ledger, random, harm, durable, write);
        _relay = new FaultRelay(coordinator.GrpcAddress);
        _counter = new SoakCounter(coordinator);
        _attack = new SoakAttack(coordinator, ledger);
    }

    public static async Task<SoakRun> StartAsync(int seed, Action<string> write)
    {
        var (ledger, random) = (new TaskLedger(seed), new Random(seed));
        var coordinator = await CoordinatorProcess.StartAsync(
            [.. CoordinatorProcess.HotSpare, "--allow-chaos", "--memory-budget", "512MB"]);
        return new SoakRun(
            coordinator, ledger, random, await SoakHarm.StartAsync(coordinator, ledger, random), await SoakDurable.StartAsync(), write);
    }

    public async ValueTask DisposeAsync()
    {
        await using (_coordinator)
        await using (_durable)
        await using (_relay)
        await using (_harm)
        await using (_attack)
        {
            foreach (var client in _clients)
                await client.DisposeAsync();
        }
    }

    public async Task RunAsync(TimeSpan duration)
    {
        var counts = await _coordinator.CountsAsync();
        foreach (var kind in SoakClient.Kinds(_counter))
            _clients.Add(
                await SoakClient.StartAsync(kind, _coordinator, kind.ThroughRelay ? _relay.Address : _coordinator.GrpcAddress, _ledger));
        await _ledger.WaitForMoreAsync(2_000);
        var before = ProcessUsage.Of(_coordinator);
        _write($"seed {_ledger.Seed} (ORCHESTRATOR_FAULT_SEED repeats its choices): {_clients.Count} clients, a fault every " +
            $"{s_betweenFaults.TotalMilliseconds} ms for {duration.TotalMinutes} min");
        var began = Stopwatch.StartNew();
        await InjectAsync(began, duration);
        _attack.Leave();
        await _harm.FinishAsync();
        foreach (var client in _clients)
            await client.FinishAsync(s_finish);
        // Measured at the end, with as many workers as at the beginning.
        await SettleAsync();
        var after = await ProcessUsage.WaitUntilFlatAsync(
            _coordinator, before, handles: 60, threads: 30, bytes: 100_000_000, within: s_memoryReturn);
        Report(began.Elapsed, before, after);
        await _coordinator.CloseAsync(_ledger, counts);
        await _counter.CheckAsync();
        await _durable.CheckAsync();
        foreach (var fault in Enum.GetValues<SoakFault>())
            Assert.True(_injected.GetValueOrDefault(fault) > 0, $"{fault} never came about");
        Assert.Equal(0, _ledger.Of(TaskState.Failed));
        _write("passed: every accepted task has one end, nothing was done twice, nothing is left behind");
    }

    private async Task InjectAsync(Stopwatch began, TimeSpan duration)
    {
        using var pace = new PeriodicTimer(s_betweenFaults);
        var note = s_betweenNotes;
        var kinds = Enum.GetValues<SoakFault>();
        // Each kind once per round, in a random order.
        var round = new Queue<SoakFault>();
        while (began.Elapsed < duration || round.Count > 0)
        {
            await pace.WaitForNextTickAsync();
            if (round.Count == 0)
            {
                _random.Shuffle(kinds);
                round = new Queue<SoakFault>(kinds);
            }

            var fault = round.Dequeue();
            var injecting = Stopwatch.StartNew();
            if (await InjectAsync(fault))
                _injected[fault] = _injected.GetValueOrDefault(fault) + 1;
            if (injecting.Elapsed > s_patience)
                _write($"{began.Elapsed.TotalSeconds:F0} s: {fault} took {injecting.Elapsed.TotalSeconds:F0} s");
            foreach (var client in _clients)
                await client.ReconnectWhereBrokenAsync();
            if (began.Elapsed > note)
            {
                note += s_betweenNotes;
                _write($"{began.Elapsed.TotalSeconds:F0} s: {_injected.Values.Sum()} faults; {_ledger}; {ProcessUsage.Of(_coordinator)}, " +
                    $"{await MemoryAsync()}");
            }
        }
    }

    /// <summary>False where the fault had no target.</summary>
    private async Task<bool> InjectAsync(SoakFault fault)
    {
        switch (fault)
        {
            case SoakFault.KillWorker:
                return await SignalWorkerAsync(Signals.Kill, worker => true);
            case SoakFault.KillHolder:
                return await SignalWorkerAsync(Signals.Kill, await HolderAsync());
            case SoakFault.StopWorker:
                return await SignalWorkerAsync(Signals.Stop, worker => true);
            case SoakFault.Recycle:
                return await RecycleAsync();
            case SoakFault.PauseCoordinator:
                Signals.Send(_coordinator.Pid, Signals.Stop);
                await ProcessState.WaitAsync(_coordinator.Pid, 'T');
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
                Signals.Send(_coordinator.Pid, Signals.Continue);
                return true;
            case SoakFault.VanishClient:
                await Pick().VanishAsync();
                return true;
            case SoakFault.KillClient:
                return await KillClientAsync();
            case SoakFault.CutConnections:
                return _relay.CutAll() > 0;
            case SoakFault.CutMessage:
                _relay.CutAfter(_random.Next(1, 20_000));
                return true;
            case SoakFault.SlowNetwork:
                _relay.Delay = TimeSpan.FromMilliseconds(20);
                await _ledger.WaitForMoreAsync(50);
                _relay.Delay = TimeSpan.Zero;
                return true;
            case SoakFault.Cancel:
                return _clients.Single(client => client.Kind.CancelsItsTasks).Cancel() > 0;
            case SoakFault.Overrun:
                _harm.OverrunLater();
                return true;
            case SoakFault.BlockThreads:
                _harm.BlockThreadsLater();
                return true;
            default:
                await HarmAsync(fault);
                return true;
        }
    }

    private Task HarmAsync(SoakFault fault) => fault switch
    {
        SoakFault.EndWorker => _harm.EndWorkerAsync(),
        SoakFault.KillCoordinator => _durable.KillAsync(),
        SoakFault.NeverRead => _harm.NeverReadAsync(),
        SoakFault.BreakProtocol => _harm.BreakProtocolAsync(),
        SoakFault.SendGarbage => _harm.SendGarbageAsync(),
        SoakFault.RepeatRequest => _harm.RepeatRequestAsync(),
        SoakFault.OutliveLease => _harm.OutliveLeaseAsync(),
        SoakFault.Deadlock => _harm.DeadlockAsync(),
        SoakFault.CallAsStranger => _harm.CallAsStrangerAsync(),
        SoakFault.PushAsStranger => _attack.PushAsStrangerAsync(),
        SoakFault.HoardLocks => _attack.HoardLocksAsync(),
        SoakFault.SubmitUnknown => _attack.SubmitUnknownAsync(),
        SoakFault.FillQueue => _attack.FillQueueAsync(),
        SoakFault.UseForeignSession => _attack.UseForeignSessionAsync(),
        _ => throw new InvalidOperationException($"{fault} is not a known fault"),
    };

    private SoakClient Pick() => _clients[_random.Next(_clients.Count)];

    private async Task<bool> SignalWorkerAsync(int signal, Func<WorkerInfo, bool>? where)
    {
        if (where is null)
            return false;
        var ready = (await _coordinator.WorkersAsync()).Where(
            worker => worker is { State: WorkerState.Ready, CompletedTasks: > 0, Pid: > 0 }).Where(where).ToArray();
        if (ready.Length == 0)
            return false;
        Signals.Send(ready[_random.Next(ready.Length)].Pid, signal);
        return true;
    }

    /// <summary>The worker of a task that holds a lock. There may be none at the moment; there will be one later.</summary>
    private async Task<Func<WorkerInfo, bool>?> HolderAsync()
    {
        const int Looks = 20;
        for (var look = 0; look < Looks; look++)
        {
            var objects = (await _coordinator.Sync.ListSyncAsync(new ListSyncRequest(), CoordinatorProcess.Deadline())).Objects;
            if (objects.SelectMany(item => item.Holders).FirstOrDefault(holder => holder.TaskId != 0) is not { } held)
                continue;
            var attempts = (await _coordinator.Tasks.GetTaskAsync(
                new GetTaskRequest { TaskId = held.TaskId }, CoordinatorProcess.Deadline())).Task.Attempts;
            if (attempts.LastOrDefault() is { } last)
                return worker => $"{worker.Name}#{worker.Incarnation}" == last.Worker;
        }

        return null;
    }

    private async Task<bool> RecycleAsync()
    {
        try
        {
            return (await _coordinator.Admin.RecycleWorkersAsync(
                new RecycleWorkersRequest(), CoordinatorProcess.Deadline(120))).Recycled > 0;
        }
        catch (Grpc.Core.RpcException exception) when (exception.StatusCode == Grpc.Core.StatusCode.Aborted)
        {
            // Its successor was among the workers killed here.
            _write($"a recycle did not come to its end: {exception.Status.Detail}");
            return false;
        }
    }

    private async Task<bool> KillClientAsync()
    {
        var start = new ProcessStartInfo(CoordinatorProcess.CommandPath) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[
            "run", "sleep", """{"ms": 600000}""", "--count", "20", "--data-dir", _coordinator.DataDirectory])
            start.ArgumentList.Add(argument);
        var before = await StreamsAsync();
        using var client = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        // It has submitted its tasks once there is one more stream.
        while (!patience.IsCancellationRequested && !client.HasExited && await StreamsAsync() <= before)
            await Task.Yield();
        // At most this many were accepted.
        _ledger.GiveUp([.. Enumerable.Range(0, 20).Select(_ => _ledger.Accept())]);
        client.Kill(entireProcessTree: true);
        await client.WaitForExitAsync();
        return !patience.IsCancellationRequested;
    }

    private async Task SettleAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!(await _coordinator.WorkersAsync()).All(worker => worker.State == WorkerState.Ready)
            || await StreamsAsync() > 0)
            patience.Token.ThrowIfCancellationRequested();
    }

    /// <summary>Memory kept for clients; throws where that or the resident memory exceeds its limit.</summary>
    private async Task<string> MemoryAsync()
    {
        var limits = (await _coordinator.Admin.ListLimitsAsync(new ListLimitsRequest(), CoordinatorProcess.Deadline(60))).Limits;
        foreach (var limit in limits.Where(limit => limit.Name is "memory" or "memory_kept"))
            Assert.InRange(limit.Used, 0, limit.Maximum);
        return $"{limits.Single(limit => limit.Name == "memory_kept").Used / 1_000_000} MB of them kept for clients";
    }

    private async Task<int> StreamsAsync() =>
        (await _coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Streams;

    private void Report(TimeSpan elapsed, ProcessUsage before, ProcessUsage after)
    {
        _write(string.Create(CultureInfo.InvariantCulture, $"""
            after {elapsed.TotalSeconds:F0} s
              faults    {_injected.Values.Sum()}: {string.Join(", ", _injected.Select(pair => $"{pair.Value} {pair.Key}"))}
              ledger    {_ledger}
                        {_ledger.Retried} succeeded in a later attempt; p50 {_ledger.Percentile(50):F1} ms, p99 {_ledger.Percentile(99):F0} ms
              durable   {_durable}
              before    {before}
              after     {after}
            """));
    }
}

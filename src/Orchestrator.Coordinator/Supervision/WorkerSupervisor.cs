using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// Owns every worker process: starts one per slot and a spare per group, watches them, replaces those that die, recycles, scales, and ends
/// them all. Everything happens on its one thread; other threads read published immutable snapshots.
/// </summary>
internal sealed partial class WorkerSupervisor : IWorkerOrders, IAsyncDisposable
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(250);

    private readonly TaskEngineHost _host;
    private readonly MonotonicClock _clock;
    private readonly EventLog _events;
    private readonly ILogger _logger;
    private readonly WorkerProcessLauncher _launcher;
    private readonly SupervisorThread _thread;
    private readonly WorkerTermination _termination;
    private readonly HeartbeatWatch _heartbeats;
    private readonly RecyclingSchedule _recycling;
    private readonly IReadOnlyList<int> _cores;
    private readonly List<WorkerGroup> _groups = [];
    private readonly List<WorkerSlot> _slots = [];
    private readonly List<WorkerProcess> _processes = [];
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile SupervisorOptions _options;
    private bool _stopping;
    private int _looks;
    private ImmutableArray<WorkerStatus> _status = [];
    private ImmutableArray<string> _lostGroups = [];

    public WorkerSupervisor(
        SupervisorOptions options,
        RuntimeDirectory directory,
        TokenStore tokens,
        TaskEngineHost host,
        MonotonicClock clock,
        EventLog events,
        RestartTally restarts,
        ILogger<WorkerSupervisor> logger)
    {
        _options = options;
        _host = host;
        _clock = clock;
        _events = events;
        _logger = logger;
        _cores = ProcessorAffinity.AllowedCores();
        _launcher = new WorkerProcessLauncher(options, directory, tokens, clock.Running, _cores, host.Options.LargestPayload);
        foreach (var group in options.Groups)
            _groups.Add(new WorkerGroup(group, _groups.Sum(before => before.Options.Workers), restarts));
        _heartbeats = new HeartbeatWatch(clock, events, new DebuggerWatch(events, logger, Terminate), WatchPeriod);
        _recycling = new RecyclingSchedule(host, clock, _cores.Count);
        SupervisorLog.ReportSwept(logger, events, directory.Swept);
        _thread = new SupervisorThread(clock.Running, WatchPeriod, Watch, logger);
        _termination = new WorkerTermination(host, _thread, _processes);
        host.Orders = this;
    }

    /// <summary>A snapshot of all slots at the last change.</summary>
    public ImmutableArray<WorkerStatus> Status => _status;

    /// <summary>Slots that have been given up.</summary>
    public int FailedSlots => _status.Count(slot => slot.HasFailed);

    /// <summary>Groups that have been given up: tasks that only they could run fail.</summary>
    public ImmutableArray<string> LostGroups => _lostGroups;

    /// <summary>Starts the workers; completes once each slot is ready or has been given up.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _thread.Post(() =>
        {
            foreach (var group in _groups)
                AddSlots(group, group.Options.Workers);
            CheckSettled();
        });
        await _settled.Task.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Execute(WorkerOrder order) => _thread.Post(() =>
    {
        if (_processes.Find(process => process.Link?.View == order.Worker) is not { } process)
            return;
        if (order.Kind == WorkerOrderKind.Condemn)
            Condemn(process);
        else
            _heartbeats.Debuggers.TerminateWhenReleased(process, "it was condemned, since a task ignored its cancellation");
    });

    /// <summary>Ends all workers: asks them to finish, then SIGTERM, then SIGKILL.</summary>
    public async Task StopAsync()
    {
        _thread.Post(() =>
        {
            _stopping = true;
            foreach (var process in _processes.ToArray())
                Terminate(process, "the coordinator stops");
            CheckSettled();
            CheckAllEnded();
        });
        await _allEnded.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _thread.Dispose();
    }

    /// <summary>Fills an empty slot: by the spare if it is ready, else by a new process.</summary>
    private void StartFor(WorkerSlot slot)
    {
        if (_stopping || slot.IsRemoved)
            return;
        slot.IsBackingOff = false;
        if (!FillBySpare(slot))
            slot.Current = Launch(slot.Group, slot);
        Publish();
    }

    private bool FillBySpare(WorkerSlot slot)
    {
        if (slot.Group.Spare is not { Role: WorkerRole.Spare } spare)
            return false;
        slot.Group.Spare = null;
        spare.Slot = slot;
        Activate(spare, rename: true);
        StartSpare(slot.Group);
        return true;
    }

    private void StartSpare(WorkerGroup group)
    {
        if (_stopping || _options.HotSpares == 0 || group.Spare is not null || group.SpareHasFailed)
            return;
        group.Spare = Launch(group, null);
    }

    private WorkerProcess? Launch(WorkerGroup group, WorkerSlot? slot)
    {
        var name = slot?.Name ?? group.Options.SpareName;
        try
        {
            var process = _launcher.Start(group, name, slot?.Core ?? -1);
            process.Slot = slot;
            process.Child.Output.OnLine = new PrintedLines(_host, () => process, _clock.Running, _logger).OnLine;
            _processes.Add(process);
            _ = ConnectAsync(process);
            _ = WatchExitAsync(process);
            return process;
        }
        catch (IOException exception)
        {
            _events.Add("worker.start_failed", name, exception.Message);
            SupervisorLog.StartFailed(_logger, name, exception.Message);
            // Handled like an immediate death; posted, so that the caller sees the empty slot first. A temporary shortage on the machine is
            // not the worker's fault, so the start is retried forever; only the coordinator's own start must terminate.
            var isShortage = NativeMethods.IsShortage(exception.HResult) && _settled.Task.IsCompleted;
            group.LastDeath = (exception.Message, null);
            _thread.Post(() => OnEarlyDeath(group, slot, exception.Message, mayGiveUp: !isShortage));
            return null;
        }
    }

    private async Task ConnectAsync(WorkerProcess process)
    {
        try
        {
            _heartbeats.Debuggers.LimitStart(process, _options.StartTimeout, _thread);
            var link = await WorkerLink.ConnectAsync(
                process.Launch, process.Direct, process.Recorder, _host, _clock.Running, _logger, process.Connecting.Token);
            _thread.Post(() => OnConnected(process, link));
        }
        catch (Exception exception)
        {
            // Whatever failed before the Hello, the process is unusable: kill it, and its exit triggers the rest.
            _thread.Post(() => OnConnectFailed(process, exception));
        }
    }

    private async Task WatchExitAsync(WorkerProcess process)
    {
        var exit = await process.Child.Exited;
        process.Connecting.Cancel();
        // Messages sent before the worker's death are still in the socket; the link reads to the end first, so that no finished task counts
        // as lost.
        if (process.Link is { } link)
            await Task.WhenAny(link.Ended, Task.Delay(WatchPeriod, _clock.Running));
        _thread.Post(() => OnExited(process, exit));
    }

    private void OnConnected(WorkerProcess process, WorkerLink link)
    {
        process.Link = link;
        (process.Slot?.EarlyDeaths ?? process.Group.SpareDeaths).OnReady();
        // Output that a worker printed before it sent a result belongs to that task.
        link.BeforeResults = process.Child.DrainNow;
        link.StartReading();
        _recycling.LearnCostOfStart(process, _options);
        if (process.Role == WorkerRole.Ending || !_processes.Contains(process))
        {
            link.Dispose();
            return;
        }

        if (process.Slot is not { } slot)
        {
            process.Role = WorkerRole.Spare;
            // A slot may have lost its worker while the spare was starting.
            if (_slots.Find(waiting => waiting is { Current: null, IsBackingOff: true } && waiting.Group == process.Group) is { } empty)
                StartFor(empty);
        }
        else if (slot.IsRemoved)
        {
            Terminate(process, "its slot was removed");
        }
        else
        {
            Activate(process, rename: false);
        }

        StartSpare(process.Group);
        CheckSettled();
    }

    private void OnConnectFailed(WorkerProcess process, Exception exception)
    {
        if (!_processes.Contains(process) || process.Role == WorkerRole.Ending)
            return;
        process.KilledFor ??= exception is OperationCanceledException
            ? $"it did not say Hello within {_options.StartTimeout.TotalSeconds:0} s"
            : exception.Message;
        // A worker that has closed its stream is exiting, and its own exit status says more than the supervisor's signal would.
        if (exception is EndOfStreamException)
            _thread.PostAfter(_options.TerminateGrace, () => process.Child.Signal(NativeMethods.SigKill));
        else
            process.Child.Signal(NativeMethods.SigKill);
    }

    private void Activate(WorkerProcess process, bool rename)
    {
        var slot = process.Slot!;
        var before = slot.Current == process ? null : slot.Current;
        slot.Current = process;
        slot.Successor = null;
        slot.HasFailed = false;
        slot.CountFilled(_clock.Now);
        process.Role = WorkerRole.Active;
        if (rename && slot.Core >= 0)
            ProcessorAffinity.SetForProcess(process.Child.Pid, slot.Core);
        process.Link!.Join(slot.Name, slot.Group.Name, process.Incarnation, slot.Core, rename);
        process.Link.Flush();
        _events.Add("worker.ready", process.Name, $"pid {process.Child.Pid}{(rename ? ", was the hot spare" : "")}");
        SupervisorLog.Ready(_logger, process.Name, process.Child.Pid);
        RefusedOffers.Report(process, _groups, _host, _events, _logger);
        if (before is not null)
            DrainAndStop(before);
        // Publish the new state before completing the waiters.
        Publish();
        slot.Recycling?.TrySetResult();
        slot.Recycling = null;
    }

    private void Watch()
    {
        _heartbeats.Check(_processes.ToArray(), _options);
        Renew();
        // Only every fourth round: an unreaped orphan does no harm for a second.
        if (OrphanReaper.IsNeeded && ++_looks % 4 == 0)
            OrphanReaper.Reap(pid => _processes.Exists(process => process.Child.Pid == pid));
    }

    private void CheckSettled()
    {
        if (_stopping || _slots.TrueForAll(slot => slot.HasFailed || slot.Current is { Role: WorkerRole.Active }))
            _settled.TrySetResult();
    }

    private void CheckAllEnded()
    {
        if (_stopping && _processes.Count == 0)
            _allEnded.TrySetResult();
    }

    private void Publish()
    {
        _status = [.. _slots.Select(slot => new WorkerStatus(slot))];
        if (!_stopping)
            GroupLosses.Update(_groups, _slots, _options, _host, _events);
        _lostGroups = [.. _groups.Where(group => group.Loss is not null).Select(group => group.Name)];
    }
}

using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.TaskModel;
using Orchestrator.Transport.Sockets;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>The role of a worker process for its supervisor.</summary>
internal enum WorkerRole
{
    /// <summary>Started; has not said Hello.</summary>
    Starting,

    /// <summary>Ready, without a slot.</summary>
    Spare,

    /// <summary>Fills its slot.</summary>
    Active,

    /// <summary>Finishes what it runs; its slot has a successor.</summary>
    Draining,

    /// <summary>Is to be killed; its slot has a successor.</summary>
    Condemned,

    /// <summary>Was asked to end.</summary>
    Ending,
}

/// <summary>One incarnation of one worker process, from its start to its end. Used by the supervisor's thread only.</summary>
internal sealed class WorkerProcess(
    WorkerGroup group, WorkerLaunch launch, ChildProcess child, FlightRecorderFile recorder, SocketMessageStream direct, long startedAt,
    CancellationTokenSource connecting)
    : IDisposable
{
    public WorkerGroup Group => group;

    public WorkerLaunch Launch => launch;

    public long Incarnation => launch.Incarnation;

    public ChildProcess Child => child;

    public FlightRecorderFile Recorder => recorder;

    /// <summary>Our end of its direct stream.</summary>
    public SocketMessageStream Direct => direct;

    /// <summary>The diagnostics files that its runtime may leave behind.</summary>
    public DiagnosticsFileCleanup Leftovers { get; } = new(child.Pid);

    /// <summary>Its start in the engines' time, in ticks.</summary>
    public long StartedAt => startedAt;

    /// <summary>Ends the attempts to connect.</summary>
    public CancellationTokenSource Connecting => connecting;

    /// <summary>Its stream, once it has said Hello.</summary>
    public WorkerLink? Link { get; set; }

    /// <summary>The slot that it fills or is to fill; null for a spare.</summary>
    public WorkerSlot? Slot { get; set; }

    public WorkerRole Role { get; set; }

    public bool IsSuspect { get; set; }

    /// <summary>Whether it was spared because a debugger is attached to it.</summary>
    public bool IsDebugged { get; set; }

    /// <summary>Why it is ended once the debugger has left; null if it goes on.</summary>
    public string? EndsWhenReleased { get; set; }

    /// <summary>Whether the coordinator replaces it as routine: the replacement is not urgent, and its running tasks may finish.</summary>
    public bool IsDueForRecycling { get; set; }

    /// <summary>The factor of its task limit, 0.9 to 1.1.</summary>
    public double RenewalFactor { get; } = 0.9 + (0.2 * Random.Shared.NextDouble());

    /// <summary>Why the supervisor killed it, if it did.</summary>
    public string? KilledFor { get; set; }

    public string Name => Slot is { } slot ? $"{slot.Name}#{Incarnation}" : $"{group.Options.SpareName}#{Incarnation}";

    public WorkerPostMortem PostMortem(ChildExit exit, bool kernelRanOutOfMemory)
    {
        var lines = child.Output.LastLines(out var isReport);
        var outOfMemory = kernelRanOutOfMemory || lines.Any(line =>
            line.Contains("OutOfMemoryException", StringComparison.Ordinal)
            || line.Contains("Out of memory", StringComparison.OrdinalIgnoreCase)
            || line.Contains("MemoryError", StringComparison.Ordinal));
        return new WorkerPostMortem(
            Name, child.Pid, exit.ExitCode, SignalNames.Of(exit.Signal), outOfMemory, exit.PeakRssBytes, exit.CpuTime, lines)
        {
            KilledFor = KilledFor ?? "",
            BeginsWithReport = isReport,
        };
    }

    public void Dispose()
    {
        connecting.Dispose();
        Link?.Dispose();
        direct.Dispose();
        child.Dispose();
        recorder.Dispose();
        try
        {
            File.Delete(launch.Socket);
        }
        catch (IOException)
        {
            // Another process has removed the directory; there is nothing left to delete.
        }
    }
}

/// <summary>One of the slots that workers fill.</summary>
internal sealed class WorkerSlot(WorkerGroup group, string name, int core)
{
    public WorkerGroup Group => group;

    public string Name => name;

    /// <summary>The core that its worker is pinned to; -1 for any.</summary>
    public int Core => core;

    public WorkerProcess? Current { get; set; }

    /// <summary>A successor that is starting while <see cref="Current"/> continues.</summary>
    public WorkerProcess? Successor { get; set; }

    /// <summary>Completes for the waiters for the successor.</summary>
    public TaskCompletionSource? Recycling { get; set; }

    public EarlyDeaths EarlyDeaths { get; } = new();

    public bool HasFailed { get; set; }

    public bool IsBackingOff { get; set; }

    public bool IsRemoved { get; set; }

    public long Restarts { get; private set; }

    /// <summary>When it lost its worker; null while it has one, and before it has had one.</summary>
    public TimeSpan? LostAt { get; set; }

    /// <summary>Until this time the worker is not replaced as routine, because a successor did not start.</summary>
    public TimeSpan NoRenewalBefore { get; set; }

    public string LastExit { get; set; } = "";

    /// <summary>Its worker was lost, and its place is to be filled anew.</summary>
    public void CountRestart(RestartCause cause, TimeSpan now)
    {
        Restarts++;
        LostAt ??= now;
        group.Restarts.Count(group.Name, cause);
    }

    /// <summary>A worker has the place.</summary>
    public void CountFilled(TimeSpan now)
    {
        if (LostAt is { } since)
            group.Restarts.CountTakeover(group.Name, now - since);
        LostAt = null;
    }
}

/// <summary>
/// Counts deaths that look like a crash loop. A worker that takes long to fail its start is in a loop too, so deaths before Hello have no
/// time window.
/// </summary>
internal sealed class EarlyDeaths
{
    private readonly Queue<TimeSpan> _times = new();
    private int _unready;

    /// <summary>
    /// Counts a death and returns the total: deaths after Hello within the window, plus deaths before Hello since the last Hello.
    /// </summary>
    public int Add(TimeSpan now, TimeSpan window, bool wasReady)
    {
        if (wasReady)
            _times.Enqueue(now);
        else
            _unready++;
        while (_times.TryPeek(out var first) && first < now - window)
            _times.Dequeue();
        return _times.Count + _unready;
    }

    /// <summary>Called when a worker has said Hello.</summary>
    public void OnReady() => _unready = 0;

    public void Clear()
    {
        _times.Clear();
        _unready = 0;
    }
}

/// <summary>Signals by name.</summary>
internal static class SignalNames
{
    private static readonly string[] Names =
    [
        "", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
        "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
        "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    /// <summary>Such as <c>SIGKILL (9)</c>; empty for 0.</summary>
    public static string Of(int signal) =>
        signal == 0 ? "" : signal < Names.Length ? $"{Names[signal]} ({signal})" : $"signal {signal}";
}

using Orchestrator.Core.Common;

namespace Orchestrator.Core.TaskModel;

/// <summary>The engine's data about one handler: its kind, how long it runs, and how its tasks ended.</summary>
public sealed class HandlerProfile
{
    // The newest run has a quarter of the weight: the window follows a change of the work within a few tasks.
    private const double NewestWeight = 0.25;

    // Nine of ten of about the last 32 runs: one run that the kernel interrupted changes nothing, four long ones in a row do.
    private const double BriefShare = 0.9;
    private const double NewestShare = 1.0 / 32;

    // A name that no worker offers has no counters of its own: there may be as many names as tasks.
    private static readonly TaskTally NoTally = new();
    private static readonly DurationHistogram NoTimes = new();

    private double _briefShare;

    internal HandlerProfile(string name, WorkKind kind, object? description, bool known = true)
    {
        Name = name;
        Kind = kind;
        Description = description;
        IsKnown = known;
        Tally = known ? new TaskTally() : NoTally;
        RunTimes = known ? new DurationHistogram() : NoTimes;
        Latencies = known ? new DurationHistogram() : NoTimes;
        QueueTimes = known ? new DurationHistogram() : NoTimes;
    }

    /// <summary>The placeholder of a handler that no worker offers (yet).</summary>
    internal static HandlerProfile Unknown(string name) => new(name, WorkKind.Cpu, null, known: false);

    /// <summary>The registered name.</summary>
    public string Name { get; }

    /// <summary>The lane in which it runs.</summary>
    public WorkKind Kind { get; internal set; }

    /// <summary>The workers' description of it, opaque to the engine.</summary>
    public object? Description { get; internal set; }

    /// <summary>The worker groups that offer it; one without a name in process.</summary>
    public IReadOnlyList<string> Groups { get; internal set; } = [];

    /// <summary>The groups on whose common route its tasks wait; null if no worker offers it.</summary>
    internal WorkerGroupSet? Route { get; set; }

    /// <summary>How its tasks ended, and how many are queued and running.</summary>
    public TaskTally Tally { get; }

    /// <summary>How long attempts ran.</summary>
    public DurationHistogram RunTimes { get; }

    /// <summary>How long tasks took from acceptance to their end.</summary>
    public DurationHistogram Latencies { get; }

    /// <summary>Whether a worker offers it.</summary>
    internal bool IsKnown { get; }

    /// <summary>How long tasks took from acceptance to the start of their last attempt; those that never started are not in it.</summary>
    public DurationHistogram QueueTimes { get; }

    /// <summary>Its number in spans; null before its first attempt.</summary>
    internal ushort? SpanNumber { get; set; }

    /// <summary>The expected run time in ticks of 100 ns (exponentially weighted mean); 0 before the first run.</summary>
    internal long ExpectedTicks { get; private set; }

    /// <summary>The expected run time; before the first run the given time.</summary>
    internal long ExpectedTicksOr(TimeSpan unknown) => ExpectedTicks == 0 ? unknown.Ticks : ExpectedTicks;

    /// <summary>Whether nearly all of its latest runs were so short that waking a worker for one costs more than the run.</summary>
    internal bool IsBrief => _briefShare >= BriefShare;

    /// <param name="ticks">How long an attempt ran, in ticks of 100 ns.</param>
    /// <param name="briefTicks">A run up to this is brief.</param>
    internal void RecordRun(long ticks, long briefTicks)
    {
        ticks = Math.Max(ticks, 1);
        // A single long run of a brief handler is an interruption by the kernel and not a new run time.
        var counted = IsBrief ? Math.Min(ticks, briefTicks) : ticks;
        ExpectedTicks = ExpectedTicks == 0
            ? counted
            : Math.Max(1, (long)(ExpectedTicks + ((counted - ExpectedTicks) * NewestWeight)));
        _briefShare += ((ticks <= briefTicks ? 1 : 0) - _briefShare) * NewestShare;
        RunTimes.Record(ticks);
    }
}

/// <summary>Counts of tasks by state.</summary>
public sealed class TaskTally
{
    private readonly long[] _ended = new long[8];

    // Made at the first failure.
    private Dictionary<(TaskState, FailureReason), long>? _failures;

    /// <summary>Accepted, and restored after a restart before they had ended: the sum of all states.</summary>
    public long Accepted { get; internal set; }

    /// <summary>Accepted and not started.</summary>
    public long Queued { get; internal set; }

    /// <summary>Running.</summary>
    public long Running { get; internal set; }

    /// <summary>Attempts that were followed by another.</summary>
    public long Retried { get; internal set; }

    /// <summary>Attempts that workers gave back before they had begun them.</summary>
    public long Returned { get; internal set; }

    /// <summary>Attempts whose end was that of their task.</summary>
    public long LastAttempts { get; internal set; }

    /// <summary>How many ended in which state and for which reason; <c>None</c> without a failure.</summary>
    public IEnumerable<(TaskState State, FailureReason Reason, long Count)> Ends
    {
        get
        {
            for (var i = 0; i < _ended.Length; i++)
            {
                var (state, rest) = ((TaskState)i, _ended[i]);
                foreach (var (key, count) in _failures ?? [])
                {
                    if (key.Item1 != state)
                        continue;
                    rest -= count;
                    yield return (state, key.Item2, count);
                }

                if (rest > 0)
                    yield return (state, FailureReason.None, rest);
            }
        }
    }

    /// <summary>How many ended in <paramref name="state"/>.</summary>
    public long Ended(TaskState state) => _ended[(int)state];

    /// <summary>How many ended in all.</summary>
    public long EndedTotal => _ended.Sum();

    /// <summary>How many ended without success, other than by being cancelled or skipped.</summary>
    public long FailedTotal => Ended(TaskState.Failed) + Ended(TaskState.TimedOut) + Ended(TaskState.WorkerLost);

    internal void CountEnd(TaskState state, FailureReason reason)
    {
        _ended[(int)state]++;
        if (reason == FailureReason.None)
            return;
        _failures ??= [];
        _failures[(state, reason)] = _failures.GetValueOrDefault((state, reason)) + 1;
    }
}

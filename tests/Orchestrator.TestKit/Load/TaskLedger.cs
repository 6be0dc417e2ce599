using System.Diagnostics;
using System.Globalization;
using Orchestrator.V1;

namespace Orchestrator.TestKit.Load;

/// <summary>
/// Every submitted task, by its tag, and how it ended. It closes when each has ended exactly once and the coordinator has counted the same.
/// </summary>
/// <param name="seed">The seed of the test's choices; it is part of all output.</param>
public sealed class TaskLedger(int seed)
{
    private const int MaxSamples = 2_000_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, long> _open = [];
    private readonly Random _random = new(seed);
    private readonly SortedDictionary<TaskState, long> _ends = [];
    private readonly List<string> _wrong = [];
    // A sample, so that a soak of hours takes no more memory than one of minutes.
    private readonly List<double> _milliseconds = [];
    private ulong _lastTag;
    private long _accepted;
    private long _ended;
    private long _firstAttempts;
    private long _laterAttempts;
    private long _givenUp;

    /// <summary>The seed.</summary>
    public int Seed => seed;

    /// <summary>How many were submitted.</summary>
    public long Accepted
    {
        get
        {
            lock (_gate)
                return _accepted;
        }
    }

    /// <summary>How many have ended.</summary>
    public long Ended
    {
        get
        {
            lock (_gate)
                return _ended;
        }
    }

    /// <summary>How many ended in this state.</summary>
    public long Of(TaskState state)
    {
        lock (_gate)
            return _ends.GetValueOrDefault(state);
    }

    /// <summary>How many succeeded in a later attempt than their first.</summary>
    public long Retried
    {
        get
        {
            lock (_gate)
                return _laterAttempts;
        }
    }

    /// <summary>Enters a task and returns the tag to give it.</summary>
    public ulong Accept()
    {
        lock (_gate)
        {
            _accepted++;
            _open.Add(++_lastTag, Stopwatch.GetTimestamp());
            return _lastTag;
        }
    }

    /// <summary>Removes a task that was not submitted after all.</summary>
    public void Withdraw(ulong tag)
    {
        lock (_gate)
        {
            if (_open.Remove(tag))
                _accepted--;
        }
    }

    /// <summary>Enters a task's end.</summary>
    public void End(TaskResult result)
    {
        lock (_gate)
        {
            if (_open.Remove(result.Tag, out var since))
            {
                _ended++;
                _ends[result.State] = _ends.GetValueOrDefault(result.State) + 1;
                if (result.State == TaskState.Succeeded)
                    Succeeded(Stopwatch.GetElapsedTime(since).TotalMilliseconds, result.Attempt);
                if (result.State is TaskState.Unspecified or TaskState.Queued or TaskState.Running)
                    _wrong.Add($"task {result.Tag} was answered with {result.State}, which is no end");
            }
            else
            {
                _wrong.Add(result.Tag <= _lastTag
                    ? $"task {result.Tag} ended twice, now {result.State}" : $"task {result.Tag} was never handed over");
            }
        }
    }

    /// <summary>The client of these tasks has vanished: the results of the open ones will not arrive.</summary>
    public void GiveUp(IEnumerable<ulong> tags)
    {
        lock (_gate)
            _givenUp += tags.Count(tag => _open.Remove(tag));
    }

    /// <summary>The time from the call to the result in milliseconds that this percentage of the first attempts did not exceed.</summary>
    /// <param name="percentile">Such as 99.</param>
    public double Percentile(double percentile)
    {
        lock (_gate)
        {
            var times = _milliseconds.Order().ToArray();
            return times.Length == 0 ? double.NaN : times[Math.Min(times.Length - 1, (int)(times.Length * percentile / 100))];
        }
    }

    /// <summary>Throws unless every task ended exactly once and the coordinator counts the same.</summary>
    /// <param name="before">The coordinator's counts before the first task.</param>
    /// <param name="after">Its counts when nothing runs any more.</param>
    public void Close(TaskCounts before, TaskCounts after)
    {
        lock (_gate)
        {
            var wrong = _wrong.Take(10).ToList();
            if (_open.Count > 0)
                wrong.Add(Text($"{_open.Count} tasks have not ended, the first is {_open.Keys.Min()}"));
            if (_accepted != _ended + _givenUp + _open.Count)
                wrong.Add(Text($"{_accepted} were handed over, {_ended} ended and {_givenUp} were given up"));
            if (after.Queued + after.Running > 0)
                wrong.Add(Text($"the coordinator has {after.Queued} queued and {after.Running} running tasks"));
            var counted = Total(after) - Total(before);
            // The last tasks of a vanished client may not have arrived.
            if (counted < _ended || counted > _accepted)
                wrong.Add(Text($"the coordinator counted {counted} ends; {_ended} to {_accepted} are right"));
            if (wrong.Count > 0)
                throw new InvalidOperationException($"the ledger does not balance: {string.Join("; ", wrong)}. {this}");
        }
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        lock (_gate)
        {
            var ends = string.Join(", ", _ends.Select(end => Text($"{end.Value:N0} {end.Key}")));
            var lost = _givenUp > 0 ? Text($", {_givenUp:N0} given up with their client") : "";
            var sum = ends.Length == 0 ? "no end" : ends;
            return Text($"seed {seed}: {_accepted:N0} accepted = {sum}{lost}; {_wrong.Count} twice or strange");
        }
    }

    private void Succeeded(double milliseconds, int attempt)
    {
        if (attempt > 1)
        {
            _laterAttempts++;
            return;
        }

        _firstAttempts++;
        if (_milliseconds.Count < MaxSamples)
            _milliseconds.Add(milliseconds);
        else if (_random.NextInt64(_firstAttempts) is var place && place < MaxSamples)
            _milliseconds[(int)place] = milliseconds;
    }

    private static long Total(TaskCounts counts) =>
        counts.Succeeded + counts.Failed + counts.Cancelled + counts.TimedOut + counts.WorkerLost;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Text;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.V1;

namespace Orchestrator.Cli.LoadTest;

/// <summary>
/// Every task sent, and how it ended. The ledger balances when each task was answered exactly once or abandoned by a client that
/// disconnected, and the coordinator's counts agree.
/// </summary>
internal sealed class LoadLedger
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, long> _ended = [];
    private readonly LatencyRecorder _latency = new();

    public long Sent { get; private set; }

    /// <summary>Tasks unanswered when their client disconnected.</summary>
    public long GivenUp { get; private set; }

    /// <summary>Duplicate answers, and answers to tasks never sent.</summary>
    public long Strays { get; private set; }

    public string? FirstFailure { get; private set; }

    public long Answered
    {
        get
        {
            lock (_gate)
                return _ended.Values.Sum();
        }
    }

    public LatencyRecorder Latency => _latency;

    /// <summary>Ended tasks by state, as the contract names them: <c>succeeded</c>, <c>worker_lost</c> and so on.</summary>
    public IReadOnlyDictionary<string, long> Ended => _ended;

    public static string Name(TaskState state)
    {
        var name = new StringBuilder();
        foreach (var c in state.ToString())
            name.Append(char.IsUpper(c) && name.Length > 0 ? "_" : "").Append(char.ToLowerInvariant(c));
        return name.ToString();
    }

    public void Add(long sent)
    {
        lock (_gate)
            Sent += sent;
    }

    public void GiveUp(long unanswered)
    {
        lock (_gate)
            GivenUp += unanswered;
    }

    public void Stray()
    {
        lock (_gate)
            Strays++;
    }

    public void End(TaskResult result, long intended, long now)
    {
        lock (_gate)
        {
            var state = Name(result.State);
            _ended[state] = _ended.GetValueOrDefault(state) + 1;
            _latency.Record(intended, now);
            if (result.State is not TaskState.Succeeded)
                FirstFailure ??= Output.Format.Failure(result);
        }
    }

    /// <summary>The discrepancies; empty if the ledger balances.</summary>
    /// <param name="before">The coordinator's counts before the first task was sent.</param>
    /// <param name="after">Its counts once no task was running.</param>
    public IEnumerable<string> Imbalances(TaskCounts before, TaskCounts after)
    {
        if (Strays > 0)
            yield return Text($"{Strays} results came for tasks that were not open");
        if (Sent != Answered + GivenUp)
            yield return Text(
                $"{Sent} tasks were sent, {Answered} were answered and {GivenUp} given up: {Sent - Answered - GivenUp} are missing");
        if (after.Queued + after.Running is > 0 and var open)
            yield return Text($"{open} tasks are still open at the coordinator");
        var counted = Total(after) - Total(before);
        // Tasks sent just before a client disconnected may not have arrived.
        if (counted < Answered || counted > Sent)
            yield return Text($"the coordinator counted {counted} ends, and {Answered} to {Sent} are right");
    }

    private static long Total(TaskCounts counts) =>
        counts.Succeeded + counts.Failed + counts.Cancelled + counts.TimedOut + counts.WorkerLost;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

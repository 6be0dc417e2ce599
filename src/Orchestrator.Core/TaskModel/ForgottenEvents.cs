namespace Orchestrator.Core.TaskModel;

/// <summary>
/// The events of one kind that a history has dropped, so that a late watcher gets the number of missing events. Adjacent sequences form one
/// run; beyond a maximum number of runs older ones are joined, and then only the number within them is known.
/// </summary>
internal sealed class ForgottenEvents
{
    private const int MaxRuns = 256;
    private const int RunBytes = 24;

    private readonly List<Run> _runs = [];

    /// <summary>Its size.</summary>
    public int Bytes => RunBytes * _runs.Count;

    /// <summary>Adds one, which is younger than all before.</summary>
    public void Add(long sequence)
    {
        if (_runs.Count > 0 && _runs[^1] is { IsWhole: true } last && last.Last + 1 == sequence)
        {
            _runs[^1] = last with { Last = sequence, Count = last.Count + 1 };
            return;
        }

        if (_runs.Count == MaxRuns)
            JoinOlder();
        _runs.Add(new Run(sequence, sequence, 1));
    }

    /// <summary>
    /// How many there are up to a sequence; if that is not known exactly, a lower number, so that rather too many count as missed
    /// after it.
    /// </summary>
    public long CountUpTo(long sequence)
    {
        var count = 0L;
        foreach (var run in _runs)
        {
            if (run.Last > sequence)
                return run.IsWhole && run.First <= sequence ? count + (sequence - run.First + 1) : count;
            count += run.Count;
        }

        return count;
    }

    private void JoinOlder()
    {
        const int Pairs = MaxRuns / 4;
        for (var i = 0; i < Pairs; i++)
        {
            var (first, second) = (_runs[2 * i], _runs[(2 * i) + 1]);
            _runs[i] = new Run(first.First, second.Last, first.Count + second.Count);
        }

        _runs.RemoveRange(Pairs, Pairs);
    }

    private readonly record struct Run(long First, long Last, long Count)
    {
        public bool IsWhole => Last - First + 1 == Count;
    }
}

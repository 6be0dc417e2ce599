using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// Converts between times of an engine's clock and times in the journal. An engine's clock starts with its process, so times that outlive
/// the process are stored as wall-clock time: no other clock spans two runs.
/// </summary>
internal sealed class JournalClock(MonotonicClock clock)
{
    private readonly long _zero = clock.StartedAt.UtcTicks;

    /// <summary>To the journal; <see cref="long.MaxValue"/>, "never", is unchanged.</summary>
    public long ToJournal(long engineTicks) =>
        engineTicks == long.MaxValue ? long.MaxValue : _zero + engineTicks + clock.PausedBefore(engineTicks);

    /// <summary>To the journal, for a time that may be absent (0).</summary>
    public long ToJournalOrNone(long engineTicks) => engineTicks == 0 ? 0 : ToJournal(engineTicks);

    /// <summary>To the clock of this run, on which the time may lie before zero.</summary>
    public long ToEngine(long journalTicks) => journalTicks == long.MaxValue ? long.MaxValue : journalTicks - _zero;

    /// <summary>As <see cref="ToEngine"/>, for a time that may be absent; a present time never becomes 0.</summary>
    public long ToEngineOrNone(long journalTicks) => journalTicks == 0 ? 0 : ToEngine(journalTicks) is not 0 and var ticks ? ticks : 1;
}

using Orchestrator.Coordinator.Engines;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// Times of an engine's clock as the journal keeps them, and back. An engine's clock starts with its process, so what outlives the process is kept in wall-clock
/// time: between two lives there is no other.
/// </summary>
internal sealed class JournalClock(MonotonicClock clock)
{
    private readonly long _zero = clock.StartedAt.UtcTicks;

    /// <summary>As it is written; <see cref="long.MaxValue"/>, never, stays so.</summary>
    public long ToJournal(long engineTicks) => engineTicks == long.MaxValue ? long.MaxValue : _zero + engineTicks + clock.PausedBefore(engineTicks);

    /// <summary>As it is written, of a time that may be absent (0).</summary>
    public long ToJournalOrNone(long engineTicks) => engineTicks == 0 ? 0 : ToJournal(engineTicks);

    /// <summary>On the clock of this life, where it may lie before zero.</summary>
    public long ToEngine(long journalTicks) => journalTicks == long.MaxValue ? long.MaxValue : journalTicks - _zero;

    /// <summary>As <see cref="ToEngine"/>, of a time that may be absent; one that is not is never 0.</summary>
    public long ToEngineOrNone(long journalTicks) => journalTicks == 0 ? 0 : ToEngine(journalTicks) is not 0 and var ticks ? ticks : 1;
}

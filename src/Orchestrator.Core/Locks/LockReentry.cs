using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Locks;

/// <summary>
/// The <see cref="Wait.Progress"/> of a wait that had released a lock and is in the lock's queue to hold it again, such as a wait at a
/// condition.
/// </summary>
internal abstract class LockReentry(int depth)
{
    /// <summary>How deep the lock was held.</summary>
    public int Depth => depth;

    /// <summary>The outcome of the wait that holds the lock again.</summary>
    public abstract ObjectOutcome Granted(LockHold hold);

    /// <summary>The wait has left the lock's queue without the lock.</summary>
    public abstract void OnLeft();
}

using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// Read, change and write under a lock, in two round trips: the read runs once the lock has been acquired, the release once the write has
/// succeeded. The write carries the fencing token, so that it is refused if the lock was lost between the two.
/// </summary>
internal static class LockedUpdate
{
    /// <summary>Runs it.</summary>
    /// <param name="shared">The lock.</param>
    /// <param name="read">The operation that reads.</param>
    /// <param name="change">Makes the operation that writes of what was read, and the result.</param>
    /// <param name="cancellationToken">Gives up the wait for the lock.</param>
    public static async Task<T> RunAsync<T>(
        SharedLock shared, Operation read, Func<Outcome, Guard, (Operation Write, T Result)> change, CancellationToken cancellationToken)
    {
        var session = shared.Session!;
        // The caller's code follows, so this returns to the caller's context.
        var (acquired, was) = await session.SendBothAsync(shared.ToAcquire(null), read, cancellationToken).ConfigureAwait(true);
        var hold = shared.ToHold(ObjectStream.Check(acquired, cancellationToken).AcquireLock)!;
        try
        {
            var (write, result) = change(ObjectStream.Check(was, CancellationToken.None), UpdateGuard.Holding(hold).ToMessage());
            hold.ThrowIfLost();
            var pending = new PendingOperation(write);
            session.SendAndPost(pending, hold.ToRelease(), new Release(hold, pending));
            ObjectStream.Check(await pending.Outcome.ConfigureAwait(false), CancellationToken.None);
            hold.TryLeave();
            return result;
        }
        finally
        {
            // Nothing more to release after success; otherwise the release that follows the write was not run.
            await hold.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The release that follows the write.</summary>
    private sealed class Release(LockHold hold, PendingOperation write) : IPostedOperation
    {
        public void OnFailed(OrchestratorException error) => _ = ForwardAsync(error);

        private async Task ForwardAsync(OrchestratorException error)
        {
            try
            {
                // Without the write it was not run, and the hold is released by its disposal.
                if ((await write.Outcome.ConfigureAwait(false)).Error is null)
                    ((IPostedOperation)hold).OnFailed(error);
            }
            catch (OrchestratorException)
            {
                // The session is lost, and says so.
            }
        }
    }
}

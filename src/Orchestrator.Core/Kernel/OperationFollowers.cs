namespace Orchestrator.Core.Kernel;

/// <summary>What runs after an operation of its session: gets its kept outcome, or that of its wait when it ends.</summary>
internal sealed class OperationFollowers(EngineStep step, WaitCharges charges)
{
    /// <inheritdoc cref="FollowOperation"/>
    public void Follow(FollowOperation command)
    {
        var operations = command.Session?.Operations;
        if (command.IsStopped)
        {
            Complete(command, ObjectError.Cancelled);
        }
        else if (operations?.TryFind(command.Follower, step.Now, out _) == true)
        {
            Complete(command, Done.Instance);
        }
        else if (operations is null || !operations.TryFind(command.Followed, step.Now, out var replay))
        {
            Complete(command, ObjectError.Invalid(
                "after",
                $"the session knows no operation {command.Followed}: it was not sent before, or its outcome is no longer kept"));
        }
        else if (replay.State is not Wait wait)
        {
            // The outcome may report a change that is not written yet.
            step.Effects.SpeaksOfDurable = true;
            Complete(command, (ObjectOutcome)replay.State);
        }
        else if (charges.Validate(command) is { } full)
        {
            Complete(command, full);
        }
        else
        {
            command.Awaited = step.Begun = wait;
            (wait.Followers ??= []).Add(command);
            charges.Charge(command, +1);
        }
    }

    /// <inheritdoc cref="StopFollowing"/>
    public void Stop(FollowOperation command)
    {
        command.IsStopped = true;
        if (command.Awaited is not { } wait)
            return;
        command.Awaited = null;
        charges.Charge(command, -1);
        // Taken out with others: one by one, a client with many would move the rest of the list for each.
        if (++wait.StoppedFollowers * 2 <= wait.Followers!.Count)
            return;
        wait.Followers.RemoveAll(static follower => follower.IsStopped);
        wait.StoppedFollowers = 0;
    }

    /// <summary>A wait has ended: those that follow it get its outcome.</summary>
    public void Deliver(Wait wait, ObjectOutcome outcome)
    {
        if (wait.Followers is not { } followers)
            return;
        wait.Followers = null;
        foreach (var follower in followers)
        {
            if (follower.IsStopped)
                continue;
            follower.Awaited = null;
            charges.Charge(follower, -1);
            step.Effects.Outcomes.Add(new ObjectDelivery(follower.Caller, follower.Tag, outcome));
        }
    }

    private void Complete(FollowOperation command, ObjectOutcome outcome) =>
        step.Effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, outcome));
}

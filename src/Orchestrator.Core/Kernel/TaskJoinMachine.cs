namespace Orchestrator.Core.Kernel;

/// <summary>Records the waits for tasks, each with a <see cref="TaskJoin"/> in place of an object.</summary>
internal sealed class TaskJoinMachine(ObjectKernel kernel) : PrimitiveMachine(kernel)
{
    public override void Apply(ObjectCommand command)
    {
        if (command is not JoinTasks join)
            throw NotMine(command);
        if (command.Session is null)
        {
            kernel.Complete(command, ObjectError.Invalid("session_id", "session_id must name the session that waits"));
            return;
        }

        var target = new TaskJoin(join, kernel.Sessions.OfTasks);
        if (kernel.Suspend(join, command.Session, target, target.Waiters) is not null)
            kernel.Waits.TaskJoins++;
    }

    public override void OnWaiterLeft(Wait wait) => kernel.Waits.TaskJoins--;
}

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>A method as the local transport calls it.</summary>
/// <param name="name">Such as <c>/orchestrator.v1.TaskService/RunTask</c>.</param>
internal abstract class LocalMethod(string name)
{
    public string Name => name;

    /// <summary>Prepares a call.</summary>
    public abstract ILocalInvocation Create(LocalCall call);
}

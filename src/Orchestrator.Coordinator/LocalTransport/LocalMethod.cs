using Grpc.Core;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>A method as the local transport calls it.</summary>
/// <param name="name">Such as <c>/orchestrator.v1.TaskService/RunTask</c>.</param>
internal abstract class LocalMethod(string name)
{
    public string Name => name;

    /// <summary>Prepares a call.</summary>
    public abstract ILocalInvocation Create(LocalCall call);
}

/// <summary>A call in progress: takes the frames of its client.</summary>
internal interface ILocalInvocation
{
    /// <summary>Begins: from now on frames may come, on another thread too.</summary>
    void Begin();

    /// <summary>A message has arrived; its content is not kept.</summary>
    void OnMessage(ReadOnlyMemory<byte> content);

    /// <summary>No message follows.</summary>
    void OnHalfClose();
}

using Grpc.Core;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>A method as the local transport calls it.</summary>
/// <param name="name">Such as <c>/orchestrator.v1.TaskService/RunTask</c>.</param>
internal abstract class LocalMethod(string name)
{
    public string Name => name;

    /// <summary>Begins a call.</summary>
    public abstract ILocalInvocation Start(LocalCall call);
}

/// <summary>A call in progress: takes the frames of its client.</summary>
internal interface ILocalInvocation
{
    /// <summary>A message has arrived; its content is not kept.</summary>
    void OnMessage(ReadOnlyMemory<byte> content);

    /// <summary>No message follows.</summary>
    void OnHalfClose();
}

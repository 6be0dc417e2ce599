using Grpc.Core;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>A call in progress: takes the frames of its client.</summary>
internal interface ILocalInvocation
{
    /// <summary>Whether there is one answer.</summary>
    bool IsUnary { get; }

    /// <summary>Whether what is large in its messages is kept.</summary>
    bool KeepsContent { get; }

    /// <summary>Begins: from now on frames may come, on another thread too.</summary>
    void Begin();

    /// <summary>A message has arrived; its content is not kept.</summary>
    void OnMessage(ReadOnlyMemory<byte> content);

    /// <summary>A message was refused before it was read.</summary>
    void OnRefused(RpcException refusal);

    /// <summary>No message follows.</summary>
    void OnHalfClose();
}

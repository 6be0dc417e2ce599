using Grpc.Core;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>A call with one request.</summary>
internal abstract class SingleRequestInvocation<TRequest, TResponse>(LocalCall call, Method<TRequest, TResponse> method)
    : LocalInvocation<TRequest, TResponse>(call, method)
    where TRequest : class
    where TResponse : class
{
    private bool _hasBegun;

    public override void Begin() => Connection.Want();

    public override void OnMessage(ReadOnlyMemory<byte> content)
    {
        TRequest? request = null;
        RpcException? refusal = null;
        try
        {
            if (!_hasBegun)
                request = Read(content);
        }
        catch (RpcException exception)
        {
            refusal = exception;
        }

        Answer(request, refusal);
    }

    public override void OnRefused(RpcException refusal) => Answer(null, refusal);

    public override void OnHalfClose() =>
        Answer(null, _hasBegun ? null : new RpcException(new Status(StatusCode.Internal, "Incomplete message.")));

    /// <summary>Handles the request.</summary>
    protected abstract Task AnswerAsync(TRequest request);

    private void Answer(TRequest? request, RpcException? refusal)
    {
        var isFirst = !_hasBegun;
        _hasBegun = true;
        Connection.EndRead();
        // The half-close, and a cancel, are read meanwhile.
        Connection.Want();
        if (!isFirst)
            return;
        _ = RunAsync(
            (self: this, request, refusal),
            static state => state.refusal is null ? state.self.AnswerAsync(state.request!) : Task.FromException(state.refusal));
    }
}

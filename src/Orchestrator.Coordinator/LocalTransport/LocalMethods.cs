using Grpc.Core;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>One request, one response.</summary>
internal sealed class LocalUnaryMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler) : LocalMethod(method.FullName)
    where TRequest : class
    where TResponse : class
{
    public override ILocalInvocation Create(LocalCall call) => new Invocation(call, method, handler);

    private sealed class Invocation(
        LocalCall call, Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler)
        : SingleRequestInvocation<TRequest, TResponse>(call, method)
    {
        public override bool IsUnary => true;

        protected override async Task AnswerAsync(TRequest request) => Add(await handler(request, Call));
    }
}

/// <summary>One request, a stream of responses.</summary>
internal sealed class LocalServerStreamMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> handler) : LocalMethod(method.FullName)
    where TRequest : class
    where TResponse : class
{
    public override ILocalInvocation Create(LocalCall call) => new Invocation(call, method, handler);

    private sealed class Invocation(
        LocalCall call, Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> handler)
        : SingleRequestInvocation<TRequest, TResponse>(call, method)
    {
        protected override Task AnswerAsync(TRequest request) => handler(request, new LocalResponses<TResponse>(Call, Add), Call);
    }
}

/// <summary>A stream each way.</summary>
internal sealed class LocalDuplexMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> handler) : LocalMethod(method.FullName)
    where TRequest : class
    where TResponse : class
{
    public override ILocalInvocation Create(LocalCall call) => new Invocation(call, method, handler);

    private sealed class Invocation(
        LocalCall call, Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> handler)
        : LocalInvocation<TRequest, TResponse>(call, method)
    {
        private readonly FrameMessages<TRequest> _requests = new(call.Connection.Frames);

        public override void Begin() =>
            _ = RunAsync((self: this, handler), static state =>
                state.handler(state.self._requests, new LocalResponses<TResponse>(state.self.Call, state.self.Add), state.self.Call));

        public override void OnMessage(ReadOnlyMemory<byte> content)
        {
            TRequest request;
            try
            {
                request = Read(content);
            }
            catch (RpcException refused)
            {
                _requests.Complete(refused);
                return;
            }

            _requests.Add(request);
        }

        public override void OnRefused(RpcException refusal)
        {
            _requests.Complete(refusal);
            // A cancel may still come.
            Connection.Want();
        }

        public override void OnHalfClose()
        {
            _requests.Complete(null);
            // A cancel may still come.
            Connection.Want();
        }
    }
}

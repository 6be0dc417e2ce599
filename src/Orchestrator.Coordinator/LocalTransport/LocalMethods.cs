using Grpc.Core;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>One request, one response.</summary>
internal sealed class LocalUnaryMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler) : LocalMethod(method.FullName)
    where TRequest : class
    where TResponse : class
{
    public override ILocalInvocation Start(LocalCall call)
    {
        call.Connection.Want();
        return new Invocation(call, method, handler);
    }

    private sealed class Invocation(
        LocalCall call, Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler)
        : LocalInvocation<TRequest, TResponse>(call, method)
    {
        private bool _hasBegun;

        public override void OnMessage(ReadOnlyMemory<byte> content)
        {
            // The half-close, and a cancel, are read meanwhile.
            Connection.Want();
            if (_hasBegun)
                return;
            _hasBegun = true;
            _ = RunAsync(() => AnswerAsync(content));
        }

        public override void OnHalfClose()
        {
            Connection.Want();
            if (_hasBegun)
                return;
            _hasBegun = true;
            _ = RunAsync(() => throw new RpcException(new Status(StatusCode.Internal, "Incomplete message.")));
        }

        private async Task AnswerAsync(ReadOnlyMemory<byte> content) => Add(await handler(Read(content), Call));
    }
}

/// <summary>One request, a stream of responses.</summary>
internal sealed class LocalServerStreamMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> handler) : LocalMethod(method.FullName)
    where TRequest : class
    where TResponse : class
{
    public override ILocalInvocation Start(LocalCall call)
    {
        call.Connection.Want();
        return new Invocation(call, method, handler);
    }

    private sealed class Invocation(
        LocalCall call, Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> handler)
        : LocalInvocation<TRequest, TResponse>(call, method)
    {
        private bool _hasBegun;

        public override void OnMessage(ReadOnlyMemory<byte> content)
        {
            Connection.Want();
            if (_hasBegun)
                return;
            _hasBegun = true;
            _ = RunAsync(() => handler(Read(content), new LocalResponses<TResponse>(Call, Add), Call));
        }

        public override void OnHalfClose()
        {
            Connection.Want();
            if (_hasBegun)
                return;
            _hasBegun = true;
            _ = RunAsync(() => throw new RpcException(new Status(StatusCode.Internal, "Incomplete message.")));
        }
    }
}

/// <summary>A stream each way.</summary>
internal sealed class LocalDuplexMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> handler) : LocalMethod(method.FullName)
    where TRequest : class
    where TResponse : class
{
    public override ILocalInvocation Start(LocalCall call)
    {
        var invocation = new Invocation(call, method, handler);
        invocation.Begin();
        return invocation;
    }

    private sealed class Invocation(
        LocalCall call, Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> handler)
        : LocalInvocation<TRequest, TResponse>(call, method)
    {
        private readonly LocalRequests<TRequest> _requests = new(call.Connection);

        public void Begin() => _ = RunAsync(() => handler(_requests, new LocalResponses<TResponse>(Call, Add), Call));

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

        public override void OnHalfClose()
        {
            _requests.Complete(null);
            // A cancel may still come.
            Connection.Want();
        }
    }
}

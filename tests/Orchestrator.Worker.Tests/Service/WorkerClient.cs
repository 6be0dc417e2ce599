using System.Net.Sockets;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Tests.Service;

/// <summary>The coordinator's end of a worker's socket.</summary>
internal sealed class WorkerClient : IDisposable
{
    private readonly Channel<Vitals> _vitals = System.Threading.Channels.Channel.CreateUnbounded<Vitals>();
    private readonly TaskCompletionSource<Hello> _hello = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _lastId;

    public WorkerClient(string socket, string token)
    {
        Channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                    return new NetworkStream(connection, ownsSocket: true);
                },
            },
            MaxReceiveMessageSize = ProtocolConstants.LargestMessageBytes,
            MaxSendMessageSize = ProtocolConstants.LargestMessageBytes,
        });
        Headers = new Metadata { { ProtocolConstants.AuthorizationHeader, ProtocolConstants.BearerPrefix + token } };
    }

    public GrpcChannel Channel { get; }

    public Metadata Headers { get; }

    public CollectingSink Sink { get; } = new();

    public AsyncDuplexStreamingCall<ExecuteRequest, ExecuteResponse>? Call { get; private set; }

    /// <summary>The end of the response stream, with its error if it has one.</summary>
    public Task End { get; private set; } = Task.CompletedTask;

    public AsyncDuplexStreamingCall<ExecuteRequest, ExecuteResponse> Open() =>
        new WorkerService.WorkerServiceClient(Channel).Execute(new CallOptions(Headers));

    /// <summary>Opens the stream and waits for Hello.</summary>
    public async Task<Hello> AttachAsync()
    {
        Call = Open();
        End = ReadAsync(Call.ResponseStream);
        var first = await Task.WhenAny(_hello.Task, End).WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);
        await first;
        return await _hello.Task;
    }

    public RawAssignment Assign(string handler, string json = "null") =>
        new() { TaskId = ++_lastId, Attempt = 1, Handler = handler, Input = ExecutorFixture.Json(json) };

    public Task SendAsync(ExecuteRequest request) => Call!.RequestStream.WriteAsync(request, TestContext.Current.CancellationToken);

    public Task SendAsync(params RawAssignment[] assignments)
    {
        var message = new MessageBuffer();
        foreach (var assignment in assignments)
            message.Add(RawAssignment.Field, assignment);
        return SendAsync(ExecuteRequest.Parser.ParseFrom(message.Content.Span));
    }

    public async Task<RawAttemptResult> RunAsync(string handler, string json = "null")
    {
        var assignment = Assign(handler, json);
        await SendAsync(assignment);
        return await Sink.ResultAsync(assignment);
    }

    public async Task<Vitals> NextVitalsAsync() =>
        await _vitals.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(
            ExecutorFixture.Limit, TestContext.Current.CancellationToken);

    public Task EndAsync() => End.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);

    public void Dispose()
    {
        Call?.Dispose();
        Channel.Dispose();
    }

    private async Task ReadAsync(IAsyncStreamReader<ExecuteResponse> responses)
    {
        await foreach (var response in responses.ReadAllAsync(CancellationToken.None))
        {
            if (response.Hello is { } hello)
                _hello.SetResult(hello);
            foreach (var attemptEvent in response.Events)
                Sink.Event(RawAttemptEvent.Parser.ParseFrom(attemptEvent.ToByteString()));
            foreach (var result in response.Results)
                Sink.Completed(RawAttemptResult.Read(result.ToByteArray()));
            foreach (var attempt in response.Returned)
                Sink.Returned(attempt);
            if (response.Vitals is { } vitals)
                _vitals.Writer.TryWrite(vitals);
        }
    }
}

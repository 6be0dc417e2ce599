using Orchestrator.Handlers;
using Orchestrator.Handlers.Common;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tests.Handlers;

/// <summary>The stock handlers in an executor.</summary>
internal sealed class HandlerFixture(StockHandlerOptions? options = null, ExecutorLayout? layout = null) : IAsyncDisposable
{
    public ExecutorFixture Executor { get; } = new(r => StockHandlers.Register(r, options ?? new()), layout);

    public Task<RawAttemptResult> RunAsync(string handler, string json) => Executor.RunAsync(handler, json);

    public Task<RawAttemptResult> RunBytesAsync(string handler, byte[] input)
    {
        var assignment = Executor.Assign(handler);
        assignment.Input = PayloadCodec.EncodeBytes(input);
        return Executor.RunAsync(assignment);
    }

    /// <summary>The answer's JSON text.</summary>
    public async Task<string> AnswerAsync(string handler, string json)
    {
        var result = await RunAsync(handler, json);
        Assert.True(result.Error is null, result.Error?.ToString());
        return ExecutorFixture.Text(result.Output);
    }

    public static byte[] Bytes(RawAttemptResult result)
    {
        Assert.True(result.Error is null, result.Error?.ToString());
        return Payload.Parser.ParseFrom(result.Output).Data.ToByteArray();
    }

    public async Task<string> InvalidAsync(string handler, string json)
    {
        var error = (await RunAsync(handler, json)).Error!;
        Assert.NotNull(error);
        Assert.Equal(ErrorReason.Invalid, error.Reason);
        return error.Message;
    }

    public ValueTask DisposeAsync() => Executor.DisposeAsync();
}

using Google.Protobuf;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// Decodes the input, calls the handler, encodes its answer. Every await of an invoker returns to the caller's context: on a thread lane
/// both the handler's continuations and the encoding of its answer belong to the lane's thread.
/// </summary>
internal abstract class TaskInvoker
{
    public abstract ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString input);
}

internal sealed class FunctionInvoker<TIn, TOut>(JsonCodec<TIn> input, JsonCodec<TOut> output, Func<TIn, TOut> handler) : TaskInvoker
{
    private readonly Func<TIn, TOut> _handler = handler ?? throw new ArgumentNullException(nameof(handler));

    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message) =>
        new(output.Encode(_handler(input.Decode(message))));
}

internal sealed class ContextFunctionInvoker<TIn, TOut>(
    JsonCodec<TIn> input, JsonCodec<TOut> output, Func<TIn, TaskContext, CancellationToken, TOut> handler) : TaskInvoker
{
    private readonly Func<TIn, TaskContext, CancellationToken, TOut> _handler = handler ?? throw new ArgumentNullException(nameof(handler));

    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message) =>
        new(output.Encode(_handler(input.Decode(message), context, context.CancellationToken)));
}

internal sealed class AsyncInvoker<TIn, TOut>(JsonCodec<TIn> input, JsonCodec<TOut> output, Func<TIn, TaskContext, Task<TOut>> handler)
    : TaskInvoker
{
    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message)
    {
        var task = handler(input.Decode(message), context);
        return task.IsCompletedSuccessfully ? new(output.Encode(task.Result)) : AwaitAsync(task);
    }

    private async ValueTask<ByteString> AwaitAsync(Task<TOut> task) => output.Encode(await task.ConfigureAwait(true));
}

internal sealed class NoAnswerInvoker<TIn>(JsonCodec<TIn> input, Func<TIn, TaskContext, Task> handler) : TaskInvoker
{
    private static readonly ByteString Null = PayloadCodec.EncodeJsonText("null"u8);

    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message)
    {
        var task = handler(input.Decode(message), context);
        return task.IsCompletedSuccessfully ? new(Null) : AwaitAsync(task);
    }

    private static async ValueTask<ByteString> AwaitAsync(Task task)
    {
        await task.ConfigureAwait(true);
        return Null;
    }
}

internal sealed class GeneratorInvoker<TIn, TOut>(
    JsonCodec<TIn> input, JsonCodec<TOut> output, Func<TIn, TaskContext, CancellationToken, IAsyncEnumerable<TOut>> handler) : TaskInvoker
{
    private readonly Func<TIn, TaskContext, CancellationToken, IAsyncEnumerable<TOut>> _handler = handler
        ?? throw new ArgumentNullException(nameof(handler));

    public override async ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message)
    {
        long count = 0;
        var token = context.CancellationToken;
        await foreach (var element in _handler(input.Decode(message), context, token).WithCancellation(token).ConfigureAwait(true))
        {
            await context.WritePartialMessageAsync(output.Encode(element)).ConfigureAwait(true);
            count++;
        }

        return PayloadCodec.EncodeJsonText(
            System.Text.Encoding.ASCII.GetBytes(count.ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }
}

internal sealed class BytesInvoker(Func<ReadOnlyMemory<byte>, TaskContext, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> handler)
    : TaskInvoker
{
    private readonly Func<ReadOnlyMemory<byte>, TaskContext, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> _handler =
        handler ?? throw new ArgumentNullException(nameof(handler));

    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message)
    {
        var task = _handler(PayloadCodec.DecodeBytes(message), context, context.CancellationToken);
        return task.IsCompletedSuccessfully ? new(PayloadCodec.EncodeBytes(task.Result.Span)) : AwaitAsync(task);
    }

    private static async ValueTask<ByteString> AwaitAsync(ValueTask<ReadOnlyMemory<byte>> task) =>
        PayloadCodec.EncodeBytes((await task.ConfigureAwait(true)).Span);
}

internal sealed class PayloadInvoker(Func<TaskPayload, TaskContext, ValueTask<TaskPayload>> handler) : TaskInvoker
{
    private readonly Func<TaskPayload, TaskContext, ValueTask<TaskPayload>> _handler = handler
        ?? throw new ArgumentNullException(nameof(handler));

    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message)
    {
        var task = _handler(new TaskPayload(message), context);
        return task.IsCompletedSuccessfully ? new(task.Result.Message) : AwaitAsync(task);
    }

    private static async ValueTask<ByteString> AwaitAsync(ValueTask<TaskPayload> task) => (await task.ConfigureAwait(true)).Message;
}

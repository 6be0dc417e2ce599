using System.Globalization;
using System.Text;
using Google.Protobuf;
using Orchestrator.Client.Tasks;
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

internal sealed class FunctionInvoker<TIn, TOut>(TaskMapping<TIn, TOut> mapping, Func<TIn, TOut> handler) : TaskInvoker
{
    private readonly PayloadConverter<TIn> _input = mapping.Input;
    private readonly PayloadConverter<TOut> _output = mapping.Output;

    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message) =>
        new(_output.Encode(handler(_input.Decode(message))));
}

internal sealed class ContextFunctionInvoker<TIn, TOut>(TaskMapping<TIn, TOut> mapping, Func<TIn, TaskContext, TOut> handler) : TaskInvoker
{
    private readonly PayloadConverter<TIn> _input = mapping.Input;
    private readonly PayloadConverter<TOut> _output = mapping.Output;

    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message) =>
        new(_output.Encode(handler(_input.Decode(message), context)));
}

internal sealed class AsyncInvoker<TIn, TOut>(TaskMapping<TIn, TOut> mapping, Func<TIn, TaskContext, Task<TOut>> handler) : TaskInvoker
{
    private readonly PayloadConverter<TIn> _input = mapping.Input;
    private readonly PayloadConverter<TOut> _output = mapping.Output;

    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message)
    {
        var task = handler(_input.Decode(message), context);
        return task.IsCompletedSuccessfully ? new(_output.Encode(task.Result)) : AwaitAsync(task);
    }

    private async ValueTask<ByteString> AwaitAsync(Task<TOut> task) => _output.Encode(await task.ConfigureAwait(true));
}

internal sealed class NoAnswerInvoker<TIn>(TaskMapping<TIn, Unit> mapping, Func<TIn, TaskContext, Task> handler) : TaskInvoker
{
    private readonly PayloadConverter<TIn> _input = mapping.Input;
    private readonly PayloadConverter<Unit> _output = mapping.Output;

    public override ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message)
    {
        var task = handler(_input.Decode(message), context);
        return task.IsCompletedSuccessfully ? new(_output.Encode(default)) : AwaitAsync(task);
    }

    private async ValueTask<ByteString> AwaitAsync(Task task)
    {
        await task.ConfigureAwait(true);
        return _output.Encode(default);
    }
}

internal sealed class GeneratorInvoker<TIn, TOut>(TaskMapping<TIn, long> mapping, Func<TIn, TaskContext, IAsyncEnumerable<TOut>> handler)
    : TaskInvoker
{
    private readonly PayloadConverter<TIn> _input = mapping.Input;
    private readonly PayloadConverter<TOut> _element = new(mapping.Json);

    public override async ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message)
    {
        long count = 0;
        var elements = handler(_input.Decode(message), context);
        await foreach (var element in elements.WithCancellation(context.CancellationToken).ConfigureAwait(true))
        {
            await context.WritePartialMessageAsync(_element.Encode(element)).ConfigureAwait(true);
            count++;
        }

        return PayloadCodec.EncodeJsonText(Encoding.ASCII.GetBytes(count.ToString(CultureInfo.InvariantCulture)));
    }
}

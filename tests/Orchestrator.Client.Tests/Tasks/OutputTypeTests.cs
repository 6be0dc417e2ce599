using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Serialization;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Client.Tests.Tasks;

/// <summary>What is said of an output of the wrong type, and of a handler that threw.</summary>
public sealed class OutputTypeTests
{
    [Fact]
    public void A_wrong_type_names_handler_task_and_field()
    {
        var output = Payloads.FromJson("""{"size": {"width": "wide"}}""");
        var result = new TaskResult { TaskId = 9, State = TaskState.Succeeded, Output = output };
        var error = Assert.Throws<JsonException>(
            () => TaskOutputs.Read(PayloadReflection.Decoder<Picture>(null), result, "resize"));
        Assert.StartsWith(
            "The output of task 9 ('resize') is no Picture, because of its field size.width: ", error.Message, StringComparison.Ordinal);
        Assert.Equal("$.size.width", error.Path);
        Assert.IsType<JsonException>(error.InnerException);
    }

    [Fact]
    public void A_whole_value_of_a_wrong_type_names_no_field()
    {
        var result = new TaskResult { TaskId = 9, State = TaskState.Succeeded, Output = Payloads.FromText("wide") };
        var error = Assert.Throws<JsonException>(() => TaskOutputs.Read(PayloadReflection.Decoder<Picture>(null), result, "resize"));
        Assert.StartsWith("The output of task 9 ('resize') is no Picture: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_of_an_object_names_the_object()
    {
        var codec = ValueCodec.For<Picture>((JsonSerializerOptions?)null);
        var error = Assert.Throws<JsonException>(
            () => codec.Decode(new Payload { Json = Value.ForBool(true) }, "queue", "pictures"));
        Assert.StartsWith("A value of queue \"pictures\" is no Picture: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_text_of_a_failure_ends_with_the_stack_in_the_worker()
    {
        var error = TaskErrors.From(
            new TaskResult
            {
                TaskId = 5,
                State = TaskState.Failed,
                Worker = "worker-2#1",
                Attempt = 2,
                Error = new TaskError
                {
                    Reason = ErrorReason.HandlerFailed,
                    Type = "Shop.OutOfStock",
                    Message = "none left",
                    StackTrace = "   at Shop.Sell()",
                },
            },
            "sell");
        var text = Assert.IsType<TaskFailedException>(error).ToString();
        Assert.Contains("task 5 ('sell') failed: Shop.OutOfStock: none left", text, StringComparison.Ordinal);
        Assert.EndsWith(
            $"--- in the worker worker-2#1, attempt 2: Shop.OutOfStock ---{Environment.NewLine}   at Shop.Sell()", text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_without_a_remote_stack_is_told_as_usual()
    {
        var text = new TaskFailedException("refused", new RunResult { State = RunState.Failed }).ToString();
        Assert.Equal("Orchestrator.Client.Errors.TaskFailedException: refused", text);
    }

    private sealed record Picture(Size Size);

    private sealed record Size(int Width);
}

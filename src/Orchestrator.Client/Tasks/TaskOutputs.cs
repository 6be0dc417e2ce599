using System.Text.Json;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>Reads the outputs of results.</summary>
internal static class TaskOutputs
{
    /// <summary>Throws if the task did not succeed.</summary>
    public static TaskResult EnsureSucceeded(TaskResult result, string handler) =>
        result.State == TaskState.Succeeded ? result : throw TaskErrors.From(result, handler);

    /// <summary>The output; throws if the task did not succeed.</summary>
    /// <exception cref="JsonException">The output is no <typeparamref name="T"/>: the message names handler, task and field.</exception>
    public static T Read<T>(Func<Payload?, T> decode, TaskResult result, string handler) =>
        Decode(decode, EnsureSucceeded(result, handler).Output, "output", handler, result.TaskId);

    /// <summary>The value of a payload of the task.</summary>
    /// <exception cref="JsonException">It is no <typeparamref name="T"/>: the message names handler, task and field.</exception>
    public static T Decode<T>(Func<Payload?, T> decode, Payload? payload, string what, string handler, ulong taskId)
    {
        try
        {
            return decode(payload);
        }
        catch (JsonException exception)
        {
            throw new JsonException(
                $"The {what} of task {taskId} ('{handler}') is no {typeof(T).Name}{PayloadJson.Field(exception)}: {exception.Message}",
                exception.Path, exception.LineNumber, exception.BytePositionInLine, exception);
        }
    }
}

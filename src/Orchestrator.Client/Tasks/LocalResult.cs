using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>The result that a local task would have had as a remote one.</summary>
internal static class LocalResult
{
    public static async Task<TaskResult> OfAsync<T>(Task<T> output, ulong id)
    {
        ArgumentNullException.ThrowIfNull(output);
        try
        {
            await output.ConfigureAwait(false);
            return new TaskResult { TaskId = id, State = TaskState.Succeeded, Attempt = 1 };
        }
        catch (TaskException exception)
        {
            return exception.Result.ToMessage();
        }
        catch (RemoteTaskCanceledException exception)
        {
            return exception.Result.ToMessage();
        }
        catch (OperationCanceledException exception)
        {
            return Ended(id, TaskState.Cancelled, ErrorReason.Cancelled, exception);
        }
        catch (Exception exception) when (exception is not OrchestratorException)
        {
            return Ended(id, TaskState.Failed, ErrorReason.HandlerFailed, exception);
        }
    }

    private static TaskResult Ended(ulong id, TaskState state, ErrorReason reason, Exception exception) => new()
    {
        TaskId = id,
        State = state,
        Attempt = 1,
        Error = new TaskError
        {
            Reason = reason,
            Type = exception.GetType().FullName ?? exception.GetType().Name,
            Message = exception.Message,
            StackTrace = exception.StackTrace ?? "",
        },
    };
}

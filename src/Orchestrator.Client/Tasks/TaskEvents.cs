using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks.Streams;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>The events of a task, resumed after breaks of the connection.</summary>
/// <param name="calls">The calls to the coordinator.</param>
/// <param name="stream">The stream that the task was submitted on.</param>
internal sealed class TaskEvents(TaskCalls calls, ResilientTaskStream stream)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // The coordinator instance that has accepted the task.
    private readonly string _instance = stream.Instance;

    public async IAsyncEnumerable<TaskEvent> ReadAsync(TaskHandle task, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (task.Id == 0)
            yield break;
        ulong seen = 0;
        while (true)
        {
            var events = calls.Contract.WatchTasksAsync([task.Id], seen, cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using var disposing = events.ConfigureAwait(false);
            var broken = false;
            while (!broken)
            {
                bool more;
                try
                {
                    more = await events.MoveNextAsync().ConfigureAwait(false);
                }
                catch (CoordinatorUnavailableException)
                {
                    // Events after the last one seen are still kept, or are reported as missing.
                    broken = true;
                    continue;
                }

                if (!more)
                    yield break;
                seen = events.Current.Sequence;
                yield return events.Current;
                if (events.Current.EventCase == TaskEvent.EventOneofCase.Result)
                    yield break;
            }

            await ReconnectAsync(task, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReconnectAsync(TaskHandle task, CancellationToken cancellationToken)
    {
        await Task.Delay(Pause, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        var connection = await stream.ConnectedAsync(cancellationToken).ConfigureAwait(false);
        if (connection.Instance != _instance)
            throw new TaskLostException(
                $"the events of task {task.Id} ('{task.Handler}') are lost: the coordinator was started again", task.Id, null);
    }
}

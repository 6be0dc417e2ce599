using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Load;

/// <summary>The tasks that the bench sends: all alike, told apart by their tags.</summary>
internal sealed class TaskLoad(string handler, Payload input, TaskOptions? options)
{
    /// <summary>What the tasks of a stream have in common.</summary>
    public TaskOptions? Options => options;

    public TaskSpec ForStream(ulong tag) => new() { Handler = handler, Input = input, Tag = tag };

    public async Task<string?> RunAsync(OrchestratorClient client, CancellationToken token)
    {
        var task = new TaskSpec { Handler = handler, Input = input, Options = options };
        return Failure(await client.RunTaskAsync(task, cancellationToken: token));
    }

    /// <summary>Why a task failed; null when it did not.</summary>
    public static string? Failure(TaskResult result) =>
        result.State == TaskState.Succeeded ? null : Output.Describe.Failure(result);
}

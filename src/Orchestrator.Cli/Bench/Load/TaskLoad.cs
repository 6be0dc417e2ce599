using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Load;

/// <summary>The tasks that the bench sends: all alike, or several kinds in turn, identified by their tags.</summary>
internal sealed class TaskLoad
{
    private readonly TaskSpec[] _kinds;
    private int _turn = -1;

    /// <summary>Tasks that are all alike.</summary>
    public TaskLoad(string handler, Payload input, TaskOptions? options)
    {
        _kinds = [new TaskSpec { Handler = handler, Input = input }];
        Options = options;
    }

    /// <summary>Tasks of several kinds, one of each in turn.</summary>
    public TaskLoad(IEnumerable<TaskSpec> kinds) => _kinds = [.. kinds];

    /// <summary>One task of each kind.</summary>
    public IReadOnlyList<TaskSpec> Kinds => _kinds;

    /// <summary>The options shared by the tasks of a stream.</summary>
    public TaskOptions? Options { get; }

    public TaskSpec ForStream(ulong tag)
    {
        var kind = Next();
        return new TaskSpec { Handler = kind.Handler, Input = kind.Input, Options = kind.Options, Tag = tag };
    }

    public async Task<string?> RunAsync(OrchestratorClient client, CancellationToken token)
    {
        var kind = Next();
        var task = new TaskSpec { Handler = kind.Handler, Input = kind.Input, Options = kind.Options ?? Options };
        return Failure(await client.Contract.RunTaskAsync(task, cancellationToken: token));
    }

    /// <summary>Runs the next task as a program with a pool would.</summary>
    /// <returns>Why it failed; null when it did not.</returns>
    public async Task<string?> RunAsync(IExecutor pool, CancellationToken token)
    {
        var kind = Next();
        try
        {
            await pool.RunAsync(TaskFunction.Raw(kind.Handler), kind.Input, cancellationToken: token);
            return null;
        }
        catch (TaskException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Why a task failed; null when it did not.</summary>
    public static string? Failure(TaskResult result) =>
        result.State == TaskState.Succeeded ? null : Output.Format.Failure(result);

    private TaskSpec Next() => _kinds.Length == 1 ? _kinds[0] : _kinds[(int)((uint)Interlocked.Increment(ref _turn) % (uint)_kinds.Length)];
}

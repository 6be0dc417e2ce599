using Orchestrator.Protocol;

namespace Orchestrator.Worker.Tasks;

/// <summary>What an executor gives to each of its attempts.</summary>
/// <param name="handlers">The available handlers.</param>
/// <param name="services">For handler classes and <see cref="TaskContext.Services"/>.</param>
/// <param name="writer">Receives ends and events.</param>
/// <param name="isInProcess">Whether the handlers share their process with the coordinator.</param>
/// <param name="shutdownToken">Fires when the executor is drained.</param>
internal sealed class AttemptEnvironment(
    TaskHandlerRegistry handlers, IServiceProvider services, IAttemptResultWriter writer, bool isInProcess, CancellationToken shutdownToken)
{
    public TaskHandlerRegistry Handlers => handlers;

    public IServiceProvider Services => services;

    public IAttemptResultWriter ResultWriter => writer;

    public bool IsInProcess => isInProcess;

    public CancellationToken ShutdownToken => shutdownToken;

    /// <summary>One instance per type for all attempts.</summary>
    public WorkerLocals Locals { get; } = new();

    /// <summary>The largest output, and partial output, in bytes.</summary>
    public int LargestOutput { get; set; } = ProtocolConstants.DefaultPayloadBytes;

    /// <summary>The value of <see cref="TaskContext.WorkerName"/>.</summary>
    public string WorkerName { get; set => Volatile.Write(ref field, value); } = "";
}

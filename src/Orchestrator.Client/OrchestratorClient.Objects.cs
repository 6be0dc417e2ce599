using Orchestrator.V1;

namespace Orchestrator.Client;

/// <content>Shared objects that somebody has to create, and their end.</content>
public sealed partial class OrchestratorClient
{
    /// <summary>Creates a queue, or answers with the existing one where all of it agrees.</summary>
    public async Task<QueueInfo> CreateQueueAsync(QueueSpec spec, CancellationToken cancellationToken = default) =>
        (await CallAsync(_queues.CreateQueueAsync(new CreateQueueRequest { Spec = spec }, cancellationToken: cancellationToken))).Queue;

    /// <summary>A queue as it is.</summary>
    public async Task<QueueInfo> GetQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        (await CallAsync(_queues.GetQueueAsync(new GetQueueRequest { Queue = queue }, cancellationToken: cancellationToken))).Queue;

    /// <summary>The queue takes no more; gets drain it. How many items were dropped.</summary>
    /// <param name="queue">Its name.</param>
    /// <param name="immediate">Also drop what is queued.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<long> ShutDownQueueAsync(string queue, bool immediate = false, CancellationToken cancellationToken = default) =>
        (await CallAsync(_queues.ShutDownQueueAsync(
            new ShutDownQueueRequest { Queue = queue, Immediate = immediate }, cancellationToken: cancellationToken))).DroppedItems;

    /// <summary>Creates a pipe, or answers with the existing one where all of it agrees.</summary>
    public async Task<PipeInfo> CreatePipeAsync(PipeSpec spec, CancellationToken cancellationToken = default) =>
        (await CallAsync(_pipes.CreatePipeAsync(new CreatePipeRequest { Spec = spec }, cancellationToken: cancellationToken))).Pipe;
}

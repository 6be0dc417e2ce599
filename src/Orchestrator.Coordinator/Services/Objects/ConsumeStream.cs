using Google.Protobuf.Collections;
using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;
using Orchestrator.Protocol;
using Orchestrator.V1;
using WaitStatus = Orchestrator.V1.WaitStatus;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>
/// One consumer's stream. It takes as many items as the client has credits for, and no more until those have been written; it also settles
/// the items that the client names.
/// </summary>
internal sealed class ConsumeStream(
    ObjectEngineHost host, ClientObjectQuota client, ConsumeRequest first, string sessionId, IAsyncStreamReader<ConsumeRequest> requests,
    IServerStreamWriter<ConsumeResponse> responses) : IDisposable
{
    private readonly SemaphoreSlim _writing = new(1);
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Lock _gate = new();
    // Leases of a session that outlives the stream: it does not return them when the stream ends, so this class does.
    private readonly HashSet<ulong>? _leases = first is { Leased: true, SessionId.Length: > 0 } ? [] : null;
    private long _credits;
    private bool _requestsEnded;

    public async Task RunAsync(CancellationToken ending)
    {
        using var noMore = CancellationTokenSource.CreateLinkedTokenSource(ending);
        try
        {
            await ObjectStreams.BothAsync(token => ReadAsync(noMore, token), token => DeliverAsync(noMore, token), ending);
        }
        finally
        {
            if (_leases is { Count: > 0 })
                host.Apply(new ObjectRequest(new SettleItems(first.Queue, [.. _leases], Core.Queues.Settlement.Return), sessionId));
        }
    }

    public void Dispose()
    {
        _writing.Dispose();
        _changed.Dispose();
    }

    private async Task ReadAsync(CancellationTokenSource noMore, CancellationToken ending)
    {
        await TakeAsync(first, ending);
        while (await requests.MoveNext(ending))
            await TakeAsync(requests.Current, ending);
        lock (_gate)
            _requestsEnded = true;
        _changed.Release();
        // A leased item could no longer be settled.
        if (first.Leased)
            await noMore.CancelAsync();
    }

    private async Task TakeAsync(ConsumeRequest request, CancellationToken ending)
    {
        if (request.Credits < 0)
            throw RequestValidationException.Invalid(
                "credits", $"credits {request.Credits} must be at least 0: how many more items the consumer is ready for");
        if (request != first && request.Queue.Length > 0 && request.Queue != first.Queue)
            throw RequestValidationException.Invalid(
                "queue", $"the stream consumes \"{first.Queue}\", as its first message said, and cannot turn to \"{request.Queue}\"");
        var stale = new List<ulong>();
        await SettleAsync(request.DoneLeaseIds, Core.Queues.Settlement.Done, stale, ending);
        await SettleAsync(request.ReturnLeaseIds, Core.Queues.Settlement.Return, stale, ending);
        if (stale.Count > 0)
            await WriteAsync(new ConsumeResponse { Status = WaitStatus.Ok, StaleLeaseIds = { stale } }, ending);
        if (request.Credits == 0)
            return;
        lock (_gate)
            _credits += request.Credits;
        _changed.Release();
    }

    private async Task SettleAsync(
        RepeatedField<ulong> leases, Core.Queues.Settlement settlement, List<ulong> stale, CancellationToken ending)
    {
        if (leases.Count == 0)
            return;
        var outcome = await ObjectCall.RunAsync<SettleOutcome>(
            host, new SettleItems(first.Queue, leases, settlement) { Client = client }, sessionId, ending);
        stale.AddRange(outcome.StaleLeaseIds);
        lock (_gate)
            _leases?.ExceptWith(leases);
    }

    private async Task DeliverAsync(CancellationTokenSource noMore, CancellationToken ending)
    {
        using var taking = CancellationTokenSource.CreateLinkedTokenSource(noMore.Token, ending);
        try
        {
            while (await WaitForCreditsAsync(taking.Token) is > 0 and var credits)
            {
                var get = new GetItems(first.Queue, (int)Math.Min(credits, ProtocolConstants.MaxItemsPerMessage), first.Leased)
                {
                    MaxBytes = ProtocolConstants.TargetMessageBytes,
                    Lease = ProtoTime.ToTimeSpan(first.Lease),
                    Client = client,
                };
                var delivery = await ObjectCall.DeliverAsync(host, get, sessionId, taking.Token);
                var outcome = (GetOutcome)delivery.Outcome;
                await WriteAsync(delivery, outcome, ending);
                if (outcome.Status == Core.Kernel.WaitStatus.ShutDown)
                    return;
                lock (_gate)
                    _credits -= outcome.Items.Count;
            }
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            // The client has closed its side.
        }
    }

    /// <summary>Zero if no more credits will arrive.</summary>
    private async Task<long> WaitForCreditsAsync(CancellationToken ending)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_credits > 0 || _requestsEnded)
                    return _credits;
            }

            await _changed.WaitAsync(ending);
        }
    }

    private async Task WriteAsync(ObjectDelivery delivery, GetOutcome outcome, CancellationToken ending)
    {
        var message = new ConsumeResponse { Status = (WaitStatus)(int)outcome.Status };
        foreach (var item in outcome.Items)
            message.Items.Add(QueueOperations.ToMessage(item));
        lock (_gate)
            _leases?.UnionWith(outcome.Items.Select(item => item.LeaseId));
        try
        {
            await WriteAsync(message, ending);
        }
        catch
        {
            // The client never received these items.
            host.Apply(new ObjectRequest(new CompensateDelivery(delivery)));
            throw;
        }
    }

    private async Task WriteAsync(ConsumeResponse message, CancellationToken ending)
    {
        await _writing.WaitAsync(ending);
        try
        {
            await responses.WriteAsync(message, ending);
        }
        finally
        {
            _writing.Release();
        }
    }
}

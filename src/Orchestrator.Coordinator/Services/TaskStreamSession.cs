using Grpc.Core;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services;

/// <summary>
/// One StreamTasks call: batches of tasks in, batches of results out. The reading side pauses while the number of unfinished or unread
/// tasks equals the stream's credits; the writing side is a <see cref="BatchingStreamWriter{TMessage}"/>.
/// </summary>
internal sealed partial class TaskStreamSession : TaskOwnerBase
{
    private readonly TaskEngineHost _host;
    private readonly SubmissionReader _submissions;
    private readonly ResponseWriter _responses;
    private readonly TaskPolicy? _defaults;
    private readonly StreamLimits _limits;
    private readonly ClientTaskQuota _client;
    private readonly MemoryBudget _memory;
    private readonly Lock _creditGate = new();
    private readonly List<TaskSubmission> _accepted = [];
    private List<SubmitOutcome?>? _refused;
    private TaskCompletionSource? _creditsWanted;
    private TaskCompletionSource? _emptyWanted;
    private int _inFlight;
    private long _inFlightBytes;
    private long _unreadBytes;
    private bool _isClosed;

    public TaskStreamSession(
        StreamOptions? options, IServerStreamWriter<MessageBuffer> writer, TaskEngineHost host, SubmissionReader submissions,
        TaskResultMapper results, StreamLimits limits, ClientTaskQuota client, MemoryBudget memory)
    {
        _host = host;
        _submissions = submissions;
        _limits = limits;
        _client = client;
        _memory = memory;
        List<Violation>? violations = null;
        if (options?.Defaults is { } defaults)
            _defaults = TaskPolicyMapper.Map(defaults, "options.defaults", ref violations);
        var order = options?.Order ?? ResultOrder.Unspecified;
        if (!Enum.IsDefined(order))
            (violations ??= []).Add(
                new Violation("options.order", $"{(int)order} is no ResultOrder; 1 (completion) and 2 (submission) are"));
        if (violations is not null)
            throw RpcErrors.Invalid(violations);
        DetachOnDisconnect = options?.DetachOnDisconnect ?? false;
        FailFast = options?.FailFast ?? false;
        WantsTiming = options?.Timing ?? false;
        WantsEvents = options?.Events ?? false;
        _responses = new ResponseWriter(this, writer, results, order == ResultOrder.Submission, options?.Ids ?? false);
    }

    /// <summary>The trace context of the call, for tasks without one of their own.</summary>
    public string? TraceOfCall { get; init; }

    /// <summary>Completes when writing to the client has failed.</summary>
    public Task Broken => _responses.Broken;

    /// <summary>Sends the client its credits (how many tasks it may send before it reads) and the coordinator's instance id.</summary>
    public void Announce(string instance) => _responses.Announce(instance);

    /// <summary>Notifies the client to submit elsewhere.</summary>
    public void NoticeDraining() => _responses.NoticeDraining();

    /// <summary>Accepts one <c>StreamTasksRequest</c>. Invalid tasks end as failed results with their tags; the others proceed.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a valid request; no task in it was accepted.</exception>
    public void Take(ReceivedBytes request)
    {
        var items = new RepeatedFieldReader<RawStreamTasksRequest>(request, RawTaskView.Field);
        try
        {
            long bytes = 0;
            var count = 0;
            while (items.Next(out var item))
            {
                bytes += Read(RawTaskView.Read(item));
                if (FieldLimits.OfElements(++count, "tasks") is { } violation)
                    throw RpcErrors.Invalid([violation]);
            }

            if (items.Rest is not null && FieldLimits.OfElements(items.Rest.CancelTags.Count, "cancel_tags") is { } many)
                throw RpcErrors.Invalid([many]);
            if (_accepted.Count > 0 || _refused is not null)
                Submit(bytes);
        }
        finally
        {
            _accepted.Clear();
            _refused = null;
        }

        if (items.Rest is { CancelTags.Count: > 0 } rest)
            _host.Apply(new TaskCommand.CancelTags(this, rest.CancelTags.ToHashSet()));
    }

    /// <summary>Whether its client may send no more tasks.</summary>
    public bool IsStalled
    {
        get
        {
            lock (_creditGate)
                return !HasCredits;
        }
    }

    /// <summary>How many of its credits are used, and what waits for the client to read.</summary>
    public StreamFlow Describe()
    {
        var unread = _responses.QueuedResults;
        lock (_creditGate)
        {
            return new StreamFlow
            {
                Client = _client.Name,
                CreditsUsed = _inFlight,
                CreditsLimit = _limits.CreditsPerStream,
                BytesUsed = _inFlightBytes,
                BytesLimit = _limits.CreditBytesPerStream,
                UnreadResults = unread,
                UnreadBytes = _unreadBytes,
            };
        }
    }

    /// <summary>Completes when the stream may hold more tasks.</summary>
    public Task WaitForCreditsAsync()
    {
        lock (_creditGate)
        {
            if (HasCredits)
                return Task.CompletedTask;
            _creditsWanted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _creditsWanted.Task;
        }
    }

    /// <summary>Completes when every task of the stream has ended and its result has been written.</summary>
    public Task WaitUntilEmptyAsync()
    {
        lock (_creditGate)
        {
            if (_inFlight == 0)
                return Task.CompletedTask;
            _emptyWanted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _emptyWanted.Task;
        }
    }

    /// <summary>Called when the call is over; later results are not written.</summary>
    public async Task CloseAsync(CancellationToken gone)
    {
        await _responses.EndAsync(gone);
        lock (_creditGate)
        {
            _isClosed = true;
            _memory.Add(-_unreadBytes);
            _unreadBytes = 0;
        }
    }

    public override void OnSubmitted(IReadOnlyList<SubmitOutcome> outcomes) => _responses.AddSubmitted(_refused, outcomes);

    public override bool TellsAcceptance => _responses.WithIds;

    public override void OnAccepted(IReadOnlyList<SubmitOutcome> outcomes) => _responses.AddAccepted(outcomes);

    public override void OnEnded(ReadOnlySpan<Delivery> deliveries)
    {
        long bytes = 0;
        foreach (ref readonly var delivery in deliveries)
            bytes += delivery.Task.OutputBytes;
        if (bytes > 0)
            KeepUnread(bytes);
        _responses.AddEnded(deliveries);
    }

    public override void OnEvent(in TaskEventRecord item) => _responses.AddEvent(item);

    public override void Flush(bool alone) => _responses.Flush();

    private bool HasCredits => _inFlight < _limits.CreditsPerStream && _inFlightBytes < _limits.CreditBytesPerStream;

    /// <summary>Reads a task of the request; returns the size of its input.</summary>
    private int Read(RawTaskView spec)
    {
        List<Violation>? violations = null;
        var submission = _submissions.Read(spec, _defaults, TraceOfCall, "task", ref violations);
        if (violations is null)
        {
            _accepted.Add(submission);
            _refused?.Add(null);
        }
        else
        {
            if (_refused is null)
            {
                _refused = [];
                for (var i = 0; i < _accepted.Count; i++)
                    _refused.Add(null);
            }

            var refusal = new TaskFailure((FailureReason)(int)violations[0].Reason, string.Join("; ", violations));
            _refused.Add(new SubmitOutcome(null, refusal, spec.Tag));
        }

        return submission.InputBytes;
    }

    private void Submit(long bytes)
    {
        lock (_creditGate)
        {
            _inFlight += _refused?.Count ?? _accepted.Count;
            _inFlightBytes += bytes;
        }

        // Refusals and outcomes are merged in the order of the request, under the engine's lock, before any of its results.
        if (_accepted.Count > 0)
            _host.Apply(new TaskCommand.Submit(_accepted, this) { Client = _client });
        else
            _responses.AddSubmitted(_refused, []);
        if (_refused is not null || _responses.WithIds)
            _responses.Flush();
    }

    private uint CreditsLeft()
    {
        lock (_creditGate)
            return HasCredits ? (uint)(_limits.CreditsPerStream - _inFlight) : 0;
    }

    /// <summary>Unread results are kept here, even after the engine has forgotten the tasks.</summary>
    private void KeepUnread(long bytes)
    {
        lock (_creditGate)
        {
            if (_isClosed)
                return;
            _unreadBytes += bytes;
            _memory.Add(bytes);
        }
    }

    private void OnResultsWritten(int count, long bytes)
    {
        if (bytes > 0)
            KeepUnread(-bytes);
        TaskCompletionSource? credits = null;
        TaskCompletionSource? empty = null;
        lock (_creditGate)
        {
            // Byte credits are returned in proportion to results: matching each result with its input is not worth a lookup.
            _inFlightBytes -= _inFlight == count ? _inFlightBytes : _inFlightBytes / _inFlight * count;
            _inFlight -= count;
            if (HasCredits)
                (credits, _creditsWanted) = (_creditsWanted, null);
            if (_inFlight == 0)
                (empty, _emptyWanted) = (_emptyWanted, null);
        }

        credits?.TrySetResult();
        empty?.TrySetResult();
    }
}

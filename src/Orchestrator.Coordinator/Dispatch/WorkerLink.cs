using System.Runtime.InteropServices;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Transport.Sockets;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Dispatch;

/// <summary>
/// The one long stream to a worker process: batches of assignments out, results in. Until <see cref="Join"/> its worker is a spare that the
/// engine does not know.
/// </summary>
internal sealed partial class WorkerLink : BatchingStreamWriter<MessageBuffer>, IWorkerChannel, IDisposable
{
    // Up to this many tasks in flight, latency matters more; above it, throughput does.
    private const int BusyAbove = 4;

    // A message of so many needs no more to be worth its cost, and each thread that is woken has to wait for a processor.
    private const int FullFrom = 16;

    private readonly TaskEngineHost _host;
    private readonly FlightRecorderFile _recorder;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly IWorkerTransport _transport;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<AttemptAssignment> _assignments = new();
    private readonly List<AttemptAssignment> _taken = [];
    private readonly MessageBuffer _message = new();
    private readonly List<AttemptReport> _reports = [];
    private readonly Queue<AttemptSignal> _signals = new();
    private Identity? _identity;
    private readonly TaskCompletionSource _drainWritten = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _drained;
    private int _halfClosed;
    private volatile bool _isUrgent;
    private bool _drain;
    private bool _drainTaken;
    private volatile WorkerNode? _view;

    private WorkerLink(TaskEngineHost host, FlightRecorderFile recorder, IWorkerTransport transport, TimeProvider time, ILogger logger)
    {
        _host = host;
        _recorder = recorder;
        _transport = transport;
        _logger = logger;
        _time = time;
        LastHeard = time.GetTimestamp();
    }

    /// <summary>Called before results are reported to the engine; set before <see cref="StartReading"/>.</summary>
    public Action? BeforeResults { get; set; }

    /// <summary>The worker's Hello.</summary>
    public Hello Hello => _transport.Hello;

    /// <summary>The last heartbeat; null before the first.</summary>
    public Vitals? Vitals { get; private set; }

    /// <summary>The time stamp of the last message.</summary>
    public long LastHeard { get; private set; }

    /// <summary>The engine's view of the worker, once it has joined.</summary>
    public WorkerNode? View => _view;

    /// <summary>Completes when the worker has closed its side: all that it sent has been read.</summary>
    public Task Ended => _ended.Task;

    /// <summary>
    /// Waits for a worker's Hello on the transport that the worker chooses. The caller's token ends the wait when the process has exited or
    /// takes too long.
    /// </summary>
    public static async Task<WorkerLink> ConnectAsync(
        WorkerLaunch launch,
        SocketMessageStream direct,
        FlightRecorderFile recorder,
        TaskEngineHost host,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken) =>
        new(host, recorder, await WorkerTransport.ConnectAsync(launch, direct, time, cancellationToken), time, logger);

    /// <summary>The handlers in its Hello with invalid names: they are left out, and no task can run them.</summary>
    public IEnumerable<string> LeftOut =>
        Hello.Handlers.Where(handler => !HandlerNames.IsValid(handler.Name)).Select(
            handler => Shown(handler.Name)).Take(100);

    /// <summary>What it runs on, as its Hello says.</summary>
    public string Runtime => Shown(Hello.Runtime);

    /// <summary>Makes the worker known to the engine under a slot's name, and begins to read its reports.</summary>
    public WorkerNode Join(string name, string group, long incarnation, int core, bool rename)
    {
        if (rename)
        {
            lock (Gate)
                _identity = new Identity { Name = name, Incarnation = incarnation, Core = core };
        }

        var description = new WorkerDescription(
            $"{name}#{incarnation}",
            PlacementPolicy.WorkerProcess,
            Math.Max(1, Hello.CpuSlots),
            Math.Max(1, Hello.IoSlots),
            Math.Max(1, Hello.BlockingSlots),
            FlightRecorderFile.Slots,
            Hello.RecordsFlight)
        {
            Group = group,
            Core = core,
        };
        var offers = Hello.Handlers.Where(handler => HandlerNames.IsValid(handler.Name)).Select(HandlerOffers.Of).ToArray();
        return _host.Apply(new TaskCommand.WorkerJoined(description, offers, this), effects => _view = effects.Joined)!;
    }

    /// <summary>Treats the worker as heard from just now: the coordinator itself was paused.</summary>
    public void Touch() => LastHeard = _time.GetTimestamp();

    /// <summary>Begins to read what the worker sends. Its reports reach the engine once it has joined.</summary>
    public void StartReading() => _ = ReadAllAsync();

    /// <summary>Asks the worker to finish its running tasks, return the others and exit.</summary>
    public void Drain()
    {
        lock (Gate)
            _drain = true;
        Flush();
        HalfCloseWhenDrained();
    }

    public void Queue(ReadOnlySpan<AttemptAssignment> assignments)
    {
        lock (Gate)
        {
            foreach (ref readonly var assignment in assignments)
            {
                _assignments.Enqueue(assignment);
                if (assignment.IsUrgent)
                    _isUrgent = true;
            }
        }
    }

    public void Queue(in AttemptSignal signal)
    {
        lock (Gate)
            _signals.Enqueue(signal);
    }

    public void Dispose()
    {
        Close();
        _transport.Dispose();
    }

    // Read without the engine's lock: a stale number costs at most one message more or less.
    protected override bool IsBusy =>
        _view is { } view && view.Outstanding > BusyAbove && _assignments.Count < FullFrom && !_isUrgent;

    protected override bool HasQueued()
    {
        lock (Gate)
            return _assignments.Count > 0 || _signals.Count > 0 || _drain || _identity is not null;
    }

    protected override MessageBuffer? Take()
    {
        if (!TryTake(out var rest))
            return null;
        // Outside the lock: threads that queue items hold it together with the engine's lock.
        foreach (ref readonly var assignment in CollectionsMarshal.AsSpan(_taken))
        {
            // Before the attempt is sent, so that the slot's previous attempt cannot be mistaken for it.
            _recorder.Clear(assignment.Slot);
            _message.Add(RawAssignment.Field, Assignments.ToMessage(assignment));
        }

        _taken.Clear();
        if (rest is not null)
            _message.Append(rest);
        return _message;
    }

    protected override Task WriteAsync(MessageBuffer message) => _transport.WriteAsync(message);

    protected override void OnWritten(MessageBuffer message)
    {
        message.Clear();
        if (!_drainTaken)
            return;
        _drainTaken = false;
        _drained = true;
        _drainWritten.TrySetResult();
    }

    /// <summary>Takes the content of the next message: assignments, cancels and other requests.</summary>
    private bool TryTake(out RawExecuteRequest? rest)
    {
        rest = null;
        lock (Gate)
        {
            if (_assignments.Count == 0 && _signals.Count == 0 && !_drain && _identity is null)
                return false;
            if (_identity is not null)
                (rest, _identity) = (new RawExecuteRequest { Identity = _identity }, null);
            _isUrgent = false;
            var bytes = 0;
            while (_taken.Count < ProtocolConstants.MaxItemsPerMessage
                && bytes < ProtocolConstants.TargetMessageBytes
                && _assignments.TryDequeue(out var assignment))
            {
                _taken.Add(assignment);
                bytes += assignment.Task.InputBytes;
            }

            // Requests about an attempt follow its assignment.
            if (_assignments.Count > 0 || (_signals.Count == 0 && !_drain))
                return true;
            rest ??= new RawExecuteRequest();
            while (_signals.TryDequeue(out var signal))
            {
                var attempt = new AttemptRef { TaskId = (ulong)signal.TaskId, Attempt = signal.Attempt };
                (signal.Kind == SignalKind.Cancel ? rest.Cancels : rest.GiveBack).Add(attempt);
            }

            _drainTaken = rest.Drain = _drain;
            _drain = false;
            return true;
        }
    }

    // Any program may be a worker.
    private static string Shown(string text) => VisibleText.Line(text.Length <= 200 ? text : text[..200] + "…");

    protected override void OnFailed(Exception exception) => Log.WriteFailed(_logger, Hello.Name, exception.Message);

    private async Task ReadAllAsync()
    {
        try
        {
            await _transport.ReadAllAsync(OnMessage).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RpcException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The process has exited or is about to; the supervisor handles its exit.
            Log.StreamEnded(_logger, Hello.Name, exception.Message);
        }
        catch (Exception exception)
        {
            // A bug on the path into the engine: a worker without a reader is useless, so have it replaced.
            Log.ReaderFailed(_logger, Hello.Name, exception);
            if (_view is { } view)
                _host.Apply(new TaskCommand.Condemn(view));
        }
        finally
        {
            Close();
            _ended.TrySetResult();
        }
    }

    private void OnMessage(ReceivedBytes message)
    {
        LastHeard = _time.GetTimestamp();
        var items = new RepeatedFieldReader<RawExecuteResponse>(message, RawAttemptResult.Field);
        while (items.Next(out var item))
            _reports.Add(WorkerMessageMapper.ToReport(RawAttemptResult.Read(item), _host.Options.LargestPayload));
        if (_reports.Count > 0)
            BeforeResults?.Invoke();
        var rest = items.Rest;
        if (rest?.Vitals is { } vitals)
            Vitals = WorkerMessageMapper.ToPlausible(vitals);
        if (_view is { } view && (_reports.Count > 0 || rest is { Returned.Count: > 0 } or { Events.Count: > 0 }))
        {
            _host.Apply(rest is null
                ? new TaskCommand.Report(view, _reports)
                : new TaskCommand.Report(view, _reports)
                {
                    Returned = WorkerMessageMapper.ToIds(rest.Returned),
                    Updates = WorkerMessageMapper.ToUpdate(rest.Events, _host.Options.LargestPayload)
                });
            if (_drained)
                HalfCloseWhenDrained();
        }

        // The engine has copied what it keeps.
        _reports.Clear();
    }

    /// <summary>
    /// Closes our side once no further request about any attempt can follow. The worker then closes the connection knowing that the
    /// coordinator has read everything; otherwise the HTTP/2 client may discard results that have arrived but have not been read.
    /// </summary>
    private void HalfCloseWhenDrained()
    {
        if ((_view is not { } view || _host.Read(_ => view.Outstanding) == 0) && Interlocked.Exchange(ref _halfClosed, 1) == 0)
            _ = HalfCloseAsync();
    }

    private async Task HalfCloseAsync()
    {
        try
        {
            await _drainWritten.Task;
            await _transport.CompleteAsync();
        }
        catch (Exception exception)
            when (exception is RpcException or InvalidOperationException or IOException or OperationCanceledException)
        {
            Log.WriteFailed(_logger, Hello.Name, exception.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "Writing to worker {Worker} failed: {Reason}")]
        public static partial void WriteFailed(ILogger logger, string worker, string reason);

        [LoggerMessage(Level = LogLevel.Debug, Message = "The stream of worker {Worker} ended: {Reason}")]
        public static partial void StreamEnded(ILogger logger, string worker, string reason);

        [LoggerMessage(Level = LogLevel.Error, Message = "Reading from {Worker} failed; it will be replaced")]
        public static partial void ReaderFailed(ILogger logger, string worker, Exception exception);
    }
}

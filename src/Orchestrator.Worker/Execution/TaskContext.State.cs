using Google.Protobuf;
using Orchestrator.Contracts.RawMessages;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker;

/// <summary>The executor's side: the attempt's life, and who may end it.</summary>
public sealed partial class TaskContext
{
    // Flows with the handler's asynchronous code, so that what it prints and logs is known to be its own on every thread.
    private static readonly AsyncLocal<TaskContext?> s_current = new();

    private const int Waiting = 0;
    private const int Running = 1;
    private const int Over = 2;

    private readonly TaskExecutor _executor;
    private RawAssignment _assignment;
    private CancellationTokenSource? _cancellation;
    private IServiceProvider? _services;
    private TaskLogger? _logger;
    private AttemptLog? _log;
    private int _state;
    private int _cause;

    internal TaskContext(TaskExecutor executor, in RawAssignment assignment, RegisteredTask registration, ILane lane)
    {
        _executor = executor;
        _assignment = assignment;
        Registration = registration;
        Lane = lane;
    }

    /// <summary>The attempt whose code runs here; null outside of one, and in what a handler has left behind after its end.</summary>
    internal static TaskContext? Current => s_current.Value is { IsRunning: true } attempt ? attempt : null;

    /// <summary>From here on the calling flow is this attempt's.</summary>
    internal void Enter() => s_current.Value = this;

    internal ref readonly RawAssignment Assignment => ref _assignment;

    internal RegisteredTask Registration { get; }

    internal ILane Lane { get; }

    /// <summary>Set by the runner when the attempt starts.</summary>
    internal AttemptClock Clock;

    internal ITimer? RunTimer { get; set; }

    internal bool IsRunning => Volatile.Read(ref _state) == Running;

    internal CancelCause Cause => (CancelCause)Volatile.Read(ref _cause);

    internal AttemptRef ToRef() => new() { TaskId = TaskId, Attempt = Attempt };

    /// <summary>
    /// The three ways out of waiting (start, cancel, give back) race; whoever swaps the state owns what follows.
    /// </summary>
    internal bool TryStart() => Interlocked.CompareExchange(ref _state, Running, Waiting) == Waiting;

    internal bool TryEndUnstarted() => Interlocked.CompareExchange(ref _state, Over, Waiting) == Waiting;

    internal void End()
    {
        Volatile.Read(ref _log)?.Finish();
        Volatile.Write(ref _state, Over);
        // What a handler has left behind keeps its flow, and with it this; not the input, which may be large.
        _assignment.Input = ByteString.Empty;
        Volatile.Read(ref _session)?.Detach();
    }

    /// <summary>Fires the token, without running the callbacks registered on it on the calling thread.</summary>
    internal void RequestCancel(CancelCause cause)
    {
        if (Interlocked.CompareExchange(ref _cause, (int)cause, (int)CancelCause.None) != (int)CancelCause.None)
            return;
        // The source is made lazily. Either it is seen here, or its maker sees the cause: both sides write first, with a full
        // fence, and read then.
        if (Volatile.Read(ref _cancellation) is { } source)
            _ = source.CancelAsync();
    }

    internal void Send(RawAttemptEvent attemptEvent)
    {
        // Work that a handler left behind may still report after the result has gone; nobody may see an event then.
        if (!IsRunning)
            return;
        attemptEvent.TaskId = TaskId;
        attemptEvent.Attempt = Attempt;
        _executor.Sink.Event(attemptEvent);
        _executor.Sink.DeliverDue(busy: true);
    }

    private CancellationTokenSource CreateCancellation()
    {
        // Never disposed: it has no timer, and a cancel may come at any time, so that disposal would need a lock.
        var source = new CancellationTokenSource();
        if (Interlocked.CompareExchange(ref _cancellation, source, null) is { } other)
            return other;
        if (Cause != CancelCause.None)
            source.Cancel();
        return source;
    }
}

/// <summary>Why an attempt's token fired.</summary>
internal enum CancelCause
{
    None,
    Cancelled,
    RunTimeout,
}

/// <summary>Stamps taken when an attempt starts.</summary>
internal struct AttemptClock
{
    public long Started;
    public long CpuNanoseconds;
    public long AllocatedBytes;
    public int Thread;
}

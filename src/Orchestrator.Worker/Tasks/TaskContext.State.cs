using Google.Protobuf;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Tasks;

/// <summary>The executor's side: the attempt's state, and the right to end it.</summary>
public sealed partial class TaskContext
{
    // Flows with the handler's asynchronous code, so that its output and log lines are attributed to it on every thread.
    private static readonly AsyncLocal<TaskContext?> Ambient = new();

    private const int Waiting = 0;
    private const int Running = 1;
    private const int Over = 2;

    private readonly AttemptEnvironment _environment;
    private RawAssignment _assignment;
    private CancellationTokenSource? _cancellation;
    private IServiceProvider? _services;
    private TaskLogger? _logger;
    private AttemptLog? _log;
    private int _state;
    private int _cause;

    internal TaskContext(AttemptEnvironment environment, in RawAssignment assignment, RegisteredTask registration, ILane lane)
    {
        _environment = environment;
        _assignment = assignment;
        Registration = registration;
        Lane = lane;
    }

    /// <summary>The attempt whose code runs here; null outside of one, and in code that a handler has left behind after its end.</summary>
    internal static TaskContext? Current => Ambient.Value is { IsRunning: true } attempt ? attempt : null;

    /// <summary>From here on the calling flow belongs to this attempt.</summary>
    internal void Enter() => Ambient.Value = this;

    internal ref readonly RawAssignment Assignment => ref _assignment;

    internal RegisteredTask Registration { get; }

    internal ILane Lane { get; }

    /// <summary>Set by the runner when the attempt starts.</summary>
    internal AttemptClock Clock;

    internal ITimer? RunTimer { get; set; }

    internal System.Diagnostics.Activity? Span { get; set; }

    internal bool IsRunning => Volatile.Read(ref _state) == Running;

    internal CancelCause Cause => (CancelCause)Volatile.Read(ref _cause);

    internal AttemptRef ToRef() => new() { TaskId = TaskId, Attempt = Attempt };

    /// <summary>
    /// The three ways out of waiting (start, cancel, return) race; the thread that swaps the state owns the next step.
    /// </summary>
    internal bool TryStart() => Interlocked.CompareExchange(ref _state, Running, Waiting) == Waiting;

    internal bool TryEndUnstarted() => Interlocked.CompareExchange(ref _state, Over, Waiting) == Waiting;

    internal void End()
    {
        Volatile.Read(ref _log)?.Finish();
        Volatile.Write(ref _state, Over);
        // Work that a handler has left behind keeps its flow, and with it this context; not the input, which may be large.
        _assignment.Input = ByteString.Empty;
        Volatile.Read(ref _session)?.Detach();
    }

    /// <summary>Fires the token, without running the callbacks registered on it on the calling thread.</summary>
    internal void RequestCancel(CancelCause cause)
    {
        if (Interlocked.CompareExchange(ref _cause, (int)cause, (int)CancelCause.None) != (int)CancelCause.None)
            return;
        // The source is created lazily. Either it is seen here, or its creator sees the cause: both sides write first, with a full fence,
        // and then read.
        if (Volatile.Read(ref _cancellation) is { } source)
            _ = source.CancelAsync();
    }

    internal void Send(RawAttemptEvent attemptEvent)
    {
        // Work that a handler left behind may still report after the result has been sent; no event may follow the result.
        if (!IsRunning)
            return;
        attemptEvent.TaskId = TaskId;
        attemptEvent.Attempt = Attempt;
        _environment.ResultWriter.Event(attemptEvent);
        _environment.ResultWriter.Flush(busy: true);
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

using Grpc.Core;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <summary>
/// The single writer of a task stream. Producers append under a lock. A producer that finds no write in progress writes
/// the first message itself, which saves a thread hand-over on an idle stream; the rest follows asynchronously,
/// together with the tasks queued meanwhile. On a busy stream another thread writes, so that tasks that come one by one
/// gather in one message.
/// </summary>
internal sealed partial class TaskRequestWriter : IThreadPoolWorkItem
{
    // As in the coordinator's link to its workers: up to this many tasks, latency matters more; above it, throughput does.
    private const int BusyAbove = 4;

    // The coordinator's default grant per stream; applies until its first message states the actual one.
    private const int UsualWindow = 4_096;

    private readonly IClientStreamWriter<StreamTasksRequest> _stream;
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiters = new();
    private readonly List<ulong> _cancels = [];
    private readonly TaskCompletionSource _halfClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _cap;
    private StreamOptions? _options;
    private List<TaskSpec> _queued = [];
    private List<TaskSpec> _spare = [];
    private Exception? _failure;
    private int _window;
    private int _unfinished;
    private int _corkedBy;
    private bool _greeting;
    private bool _writing;
    private bool _completing;
    private bool _halfClosing;
    private bool _isBusy;

    public TaskRequestWriter(IClientStreamWriter<StreamTasksRequest> stream, TaskStreamOptions options)
    {
        _stream = stream;
        _options = options.ToMessage();
        _cap = options.MaxInFlight > 0 ? options.MaxInFlight : int.MaxValue;
        _window = Math.Min(UsualWindow, _cap);
    }

    public long Messages { get; private set; }

    public long Tasks { get; private set; }

    public ValueTask SubmitAsync(TaskSpec task, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Waiter? waiter = null;
        bool start;
        lock (_gate)
        {
            ThrowIfClosed();
            if (_waiters.Count == 0 && _unfinished < _window)
            {
                _unfinished++;
                _queued.Add(task);
            }
            else
            {
                waiter = Enqueue([task], 0);
            }

            start = TryClaim();
        }

        if (start)
            Pump();
        return waiter is null ? ValueTask.CompletedTask : WaitAsync(waiter, cancellationToken);
    }

    public ValueTask SubmitAsync(IReadOnlyList<TaskSpec> tasks, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Waiter? waiter = null;
        bool start;
        lock (_gate)
        {
            ThrowIfClosed();
            var taken = _waiters.Count == 0 ? Admit(tasks, 0) : 0;
            if (taken < tasks.Count)
                waiter = Enqueue(tasks, taken);
            start = TryClaim();
        }

        if (start)
            Pump();
        return waiter is null ? ValueTask.CompletedTask : WaitAsync(waiter, cancellationToken);
    }

    public void Cancel(IEnumerable<ulong> tags) => Change(() =>
    {
        if (_completing)
            throw new InvalidOperationException("The stream was completed; dispose it to cancel what is unfinished.");
        _cancels.AddRange(tags);
    });

    public Task CompleteAsync()
    {
        Change(() => _completing = true);
        return _halfClosed.Task;
    }

    /// <summary>Sends a message even without tasks.</summary>
    public void Greet() => Change(() => _greeting = true);

    /// <summary>Completes the stream if no task on it is unfinished; otherwise does nothing.</summary>
    public bool TryFinishIdle()
    {
        bool idle, start;
        lock (_gate)
        {
            idle = _unfinished == 0 && _waiters.Count == 0 && _failure is null;
            _completing |= idle;
            start = TryClaim();
        }

        if (start)
            Pump();
        return idle;
    }

    /// <summary>Frees slots and passes them to waiting submitters.</summary>
    public void Release(int count) => Change(() =>
    {
        _unfinished -= count;
        AdmitWaiters();
    });

    /// <summary>Updates the window from the number of further tasks that the coordinator would accept.</summary>
    public void SetWindow(int credits, bool first) => Change(() =>
    {
        // The coordinator's first figure may or may not count tasks sent before it. Later figures lag behind tasks in
        // transit, so they can only show that the window is larger.
        var window = first && credits < _window ? Math.Min(credits + _unfinished, _window) : Math.Max(credits, _window);
        _window = Math.Min(window, _cap);
        AdmitWaiters();
    });

    /// <summary>
    /// Holds back the calling thread's submissions until <see cref="Uncork"/>. Other threads' submissions are sent at once
    /// and take the held ones along, so a callback that blocks delays only its own submissions.
    /// </summary>
    public void Cork()
    {
        lock (_gate)
            _corkedBy = Environment.CurrentManagedThreadId;
    }

    public void Uncork() => Change(() => _corkedBy = 0);

    /// <summary>Handles the coordinator's end of the stream without an error.</summary>
    public void End()
    {
        bool asAsked;
        lock (_gate)
            asAsked = _halfClosing;
        // The coordinator's answer to the half-close may arrive before the local write reports completion.
        if (asAsked)
            _halfClosed.TrySetResult();
        Fail(new OrchestratorException("The stream has ended.", StatusCode.OK, FailureReason.Unspecified, null));
    }

    /// <summary>Ends the stream for submitters: present and future ones get this error.</summary>
    public void Fail(Exception error)
    {
        Waiter[] waiters;
        lock (_gate)
        {
            // Overrides the pump's error: only the reader knows why the call ended.
            _failure = error;
            waiters = [.. _waiters];
            _waiters.Clear();
            _queued.Clear();
        }

        foreach (var waiter in waiters)
            waiter.Admitted.TrySetException(error);
        // The half-close may have no waiter; the stream's Completion reports the error.
        if (_halfClosed.TrySetException(error))
            _ = _halfClosed.Task.Exception;
    }

    void IThreadPoolWorkItem.Execute() => _ = PumpAsync();

    /// <summary>Writes, after <see cref="TryClaim"/>.</summary>
    private void Pump()
    {
        if (_isBusy)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else
            _ = PumpAsync();
    }

    private void Change(Action change)
    {
        bool start;
        lock (_gate)
        {
            change();
            start = TryClaim();
        }

        if (start)
            Pump();
    }

    private async ValueTask WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (writer, waiter) = ((TaskRequestWriter, Waiter))state!;
                writer.Abandon(waiter, token);
            },
            (this, waiter)).ConfigureAwait(false);
        await waiter.Admitted.Task.ConfigureAwait(false);
    }

    private void Abandon(Waiter waiter, CancellationToken token)
    {
        bool start;
        lock (_gate)
        {
            // No longer in the list: all its tasks were admitted before the cancellation, and the submission counts.
            if (waiter.Node.List is null)
                return;
            _waiters.Remove(waiter.Node);
            start = TryClaim();
        }

        waiter.Admitted.TrySetCanceled(token);
        if (start)
            Pump();
    }

    private Waiter Enqueue(IReadOnlyList<TaskSpec> tasks, int next)
    {
        var waiter = new Waiter(tasks, next);
        _waiters.AddLast(waiter.Node);
        return waiter;
    }

    private void AdmitWaiters()
    {
        while (_waiters.First?.Value is { } waiter && _unfinished < _window)
        {
            waiter.Next += Admit(waiter.Tasks, waiter.Next);
            if (waiter.Next < waiter.Tasks.Count)
                return;
            _waiters.RemoveFirst();
            waiter.Admitted.TrySetResult();
        }
    }

    private int Admit(IReadOnlyList<TaskSpec> tasks, int from)
    {
        var count = Math.Min(tasks.Count - from, Math.Max(0, _window - _unfinished));
        for (var i = from; i < from + count; i++)
            _queued.Add(tasks[i]);
        _unfinished += count;
        return count;
    }

    private void ThrowIfClosed()
    {
        if (_failure is not null)
            throw _failure;
        if (_completing)
            throw new InvalidOperationException("The stream was completed; it takes no more tasks.");
    }

    private bool HasWork() =>
        _greeting || _queued.Count > 0 || _cancels.Count > 0 || (_completing && _waiters.Count == 0 && !_halfClosed.Task.IsCompleted);

    private bool TryClaim()
    {
        if (_writing || _failure is not null || !HasWork() || _corkedBy == Environment.CurrentManagedThreadId)
            return false;
        _isBusy = _unfinished > BusyAbove && _queued.Count <= BusyAbove;
        return _writing = true;
    }

    private sealed class Waiter
    {
        public Waiter(IReadOnlyList<TaskSpec> tasks, int next)
        {
            Tasks = tasks;
            Next = next;
            Node = new LinkedListNode<Waiter>(this);
        }

        public IReadOnlyList<TaskSpec> Tasks { get; }

        public int Next { get; set; }

        public LinkedListNode<Waiter> Node { get; }

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

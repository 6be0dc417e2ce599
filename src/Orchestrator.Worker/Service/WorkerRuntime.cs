using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Service;

/// <summary>The singletons of a worker process: its launch order, handlers and services, and its one stream.</summary>
internal sealed class WorkerRuntime(
    WorkerLaunch launch,
    TaskHandlerRegistry handlers,
    IServiceProvider services,
    FlightRecorder? recorder,
    TimeProvider time) : IDisposable
{
    private const int DefaultIoSlots = 1024;
    private const int DefaultBlockingThreads = 16;

    private readonly CancellationTokenSource _drain = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<StreamEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _attached;

    public WorkerLaunch Launch => launch;

    public TaskHandlerRegistry Handlers => handlers;

    public IServiceProvider Services => services;

    public FlightRecorder? Recorder => recorder;

    public TimeProvider Time => time;

    public ExecutorLayout Layout { get; } = ExecutorLayout.Worker(
        launch.MaxConcurrentIo > 0 ? launch.MaxConcurrentIo : DefaultIoSlots,
        launch.BlockingThreads > 0 ? launch.BlockingThreads : DefaultBlockingThreads);

    /// <summary>Completes when the initializers have run: then the worker sends Hello.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Completes when the process has nothing left to do.</summary>
    public Task<StreamEnd> Ended => _ended.Task;

    /// <summary>
    /// Set if the stream ended without the coordinator having half-closed it. An HTTP/2 client may discard received answers that it has not
    /// read yet when the connection closes: so the process waits briefly for the coordinator to close it.
    /// </summary>
    public CancellationToken? OpenConnection { get; set; }

    public CancellationToken DrainRequested => _drain.Token;

    public void SetReady() => _ready.TrySetResult();

    public void SetFailed(Exception exception) => _ready.TrySetException(exception);

    public bool TryAttach() => Interlocked.Exchange(ref _attached, 1) == 0;

    // A worker does not outlive its stream: the coordinator that opened it has ended, or has drained it. So there is never a second attach.
    public void Detach(StreamEnd end) => _ended.TrySetResult(end);

    // The recorder stays mapped until the process ends: a handler that ignores its cancellation still marks its end in it.
    public void Dispose() => _drain.Dispose();

    /// <summary>Finish running attempts, return the rest, end.</summary>
    public void Drain()
    {
        _ = _drain.CancelAsync();
        if (Volatile.Read(ref _attached) == 0)
            _ended.TrySetResult(StreamEnd.Clean);
    }
}

using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Tests;

/// <summary>An executor and a sink that tests can wait on.</summary>
internal sealed class ExecutorFixture : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public const int LargestOutput = 4_000_000;

    private ulong _lastId;

    public ExecutorFixture(Action<TaskHandlerRegistry> map, ExecutorLayout? layout = null, IServiceCollection? services = null,
        FlightRecorder? recorder = null)
        : this(Mapped(map), layout, services, recorder)
    {
    }

    public ExecutorFixture(TaskHandlerRegistry registry, ExecutorLayout? layout = null, IServiceCollection? services = null,
        FlightRecorder? recorder = null)
    {
        Provider = (services ?? new ServiceCollection()).BuildServiceProvider();
        Executor = new TaskExecutor(registry, Provider, layout ?? ExecutorLayout.Worker(64, 4), Sink, recorder, TimeProvider.System)
        {
            LargestOutput = LargestOutput,
        };
    }

    public CollectingSink Sink { get; } = new();

    public ServiceProvider Provider { get; }

    public TaskExecutor Executor { get; }

    public static ByteString Json(string json) => PayloadCodec.EncodeJsonText(Encoding.UTF8.GetBytes(json));

    /// <summary>The JSON text of a payload.</summary>
    public static string Text(ByteString payload) => JsonFormatter.Default.Format(Payload.Parser.ParseFrom(payload).Json);

    public RawAssignment Assign(string handler, string json = "null", uint slot = 0) =>
        new() { TaskId = ++_lastId, Attempt = 1, Handler = handler, Input = Json(json), Slot = slot };

    /// <summary>Starts assignments in one batch.</summary>
    public void Start(params RawAssignment[] assignments) => Executor.Start(assignments);

    /// <summary>Starts one and waits for its end.</summary>
    public Task<RawAttemptResult> RunAsync(RawAssignment assignment)
    {
        Start(assignment);
        return Sink.ResultAsync(assignment);
    }

    public Task<RawAttemptResult> RunAsync(string handler, string json = "null") => RunAsync(Assign(handler, json));

    public async ValueTask DisposeAsync()
    {
        await Executor.DisposeAsync();
        await Provider.DisposeAsync();
    }

    private static TaskHandlerRegistry Mapped(Action<TaskHandlerRegistry> map)
    {
        var registry = new TaskHandlerRegistry();
        map(registry);
        return registry;
    }
}

internal sealed class CollectingSink : IAttemptResultWriter
{
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<RawAttemptResult>> _results = new();
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource> _returned = new();
    private readonly ConcurrentQueue<string> _order = new();

    public ConcurrentQueue<RawAttemptEvent> Events { get; } = new();

    /// <summary>Task ids in the order of their ends.</summary>
    public IReadOnlyList<string> Order => [.. _order];

    /// <summary>Attempts whose end was reported twice, or that were both completed and returned.</summary>
    public ConcurrentQueue<ulong> Twice { get; } = new();

    public Action<RawAttemptResult>? OnCompleted { get; set; }

    public void Completed(in RawAttemptResult result)
    {
        OnCompleted?.Invoke(result);
        _order.Enqueue($"done {result.TaskId}");
        if (!Source(result.TaskId).TrySetResult(result))
            Twice.Enqueue(result.TaskId);
    }

    public void Event(RawAttemptEvent attemptEvent) => Events.Enqueue(attemptEvent);

    public void Returned(AttemptRef attempt)
    {
        _order.Enqueue($"returned {attempt.TaskId}");
        if (!ReturnSource(attempt.TaskId).TrySetResult())
            Twice.Enqueue(attempt.TaskId);
    }

    public bool IsDone(RawAssignment assignment) => Source(assignment.TaskId).Task.IsCompleted;

    public bool IsReturned(RawAssignment assignment) => ReturnSource(assignment.TaskId).Task.IsCompleted;

    public Task<RawAttemptResult> ResultAsync(RawAssignment assignment) =>
        Source(assignment.TaskId).Task.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);

    /// <summary>Waits until the attempt has ended in either way.</summary>
    public Task EndAsync(RawAssignment assignment) =>
        Task.WhenAny(Source(assignment.TaskId).Task, ReturnSource(assignment.TaskId).Task)
            .WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);

    private TaskCompletionSource<RawAttemptResult> Source(ulong id) =>
        _results.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    private TaskCompletionSource ReturnSource(ulong id) =>
        _returned.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}

/// <summary>Blocks a handler until the test releases it.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Entered => _entered.Task.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);

    public void Open() => _open.TrySetResult();

    /// <summary>For handlers that block their thread.</summary>
    public void Block()
    {
        _entered.TrySetResult();
        if (!_open.Task.Wait(ExecutorFixture.Limit))
            throw new TimeoutException("The test never opened the gate.");
    }

    /// <summary>For handlers that await.</summary>
    public Task PassAsync()
    {
        _entered.TrySetResult();
        return _open.Task.WaitAsync(ExecutorFixture.Limit);
    }
}

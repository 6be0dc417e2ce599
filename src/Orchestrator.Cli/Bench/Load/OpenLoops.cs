using System.Diagnostics;
using Orchestrator.Client;
using Orchestrator.Client.Errors;

namespace Orchestrator.Cli.Bench.Load;

/// <summary>An open loop over <c>StreamTasks</c>: tasks start when the schedule says, not when an earlier one ends.</summary>
internal sealed class OpenStreamLoop(
    IReadOnlyList<OrchestratorClient> clients, TaskLoad load, double rate, int inFlight) : ILoadShape
{
    private int _round;

    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var schedule = new ArrivalSchedule(rate, plan, ++_round);
        var progress = new OpenLoopProgress(schedule);
        var streams = clients.Select(client => client.Contract.OpenTaskStream(new TaskStreamOptions
        {
            Defaults = load.Options,
            MaxInFlight = inFlight,
            OnResult = result => progress.Done((int)result.Tag, TaskLoad.Failure(result)),
        })).ToArray();
        try
        {
            var turn = 0;
            progress.Begin();
            await schedule.PlayAsync(
                progress.Started,
                (from, to) =>
                {
                    var due = new V1.TaskSpec[to - from];
                    for (var i = from; i < to; i++)
                        due[i - from] = load.ForStream((ulong)i);
                    var submitted = streams[turn++ % streams.Length].SubmitAsync(due, token);
                    // A full stream blocks the sender; tasks due meanwhile are late, and their latency includes the delay.
                    if (!submitted.IsCompletedSuccessfully)
#pragma warning disable VSTHRD002 // The schedule's own thread, which is meant to wait.
                        submitted.AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
                },
                token);
            await Task.WhenAll(streams.Select(stream => stream.CompleteAsync()));
            await Task.WhenAll(streams.Select(stream => stream.Completion)).WaitAsync(token);
            return progress.ToResult() with
            {
                ItemsPerMessage = streams.Sum(s => s.TasksWritten) / (double)Math.Max(1, streams.Sum(s => s.MessagesWritten)),
            };
        }
        finally
        {
            foreach (var stream in streams)
                await stream.DisposeAsync();
        }
    }
}

/// <summary>An open loop of single calls, with a bound on open calls, so that an overload ends.</summary>
internal sealed class OpenUnaryLoop(
    Func<int, CancellationToken, Task<string?>> call, int clients, double rate, int inFlight) : ILoadShape
{
    private int _round;

    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var schedule = new ArrivalSchedule(rate, plan, ++_round);
        var progress = new OpenLoopProgress(schedule);
        using var room = new SemaphoreSlim(inFlight);
        progress.Begin();
        await schedule.PlayAsync(
            progress.Started,
            (from, to) =>
            {
                for (var i = from; i < to; i++)
                {
                    room.Wait(token);
                    var index = i;
                    _ = Task.Run(() => OneAsync(index), token);
                }
            },
            token);
        await progress.Completion.WaitAsync(token);
        return progress.ToResult();

        async Task OneAsync(int index)
        {
            string? error;
            try
            {
                error = await call(index % clients, token);
            }
            catch (Exception exception) when (exception is OrchestratorException or OperationCanceledException)
            {
                error = exception.Message;
            }

            progress.Done(index, error);
            room.Release();
        }
    }
}

/// <summary>Counts an open loop's completions and measures each from its intended start.</summary>
internal sealed class OpenLoopProgress(ArrivalSchedule schedule)
{
    private readonly Lock _gate = new();
    private readonly LatencyRecorder _latency = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _last;
    private long _failed;
    private string? _firstError;

    public long Started { get; private set; }

    public Task Completion => _completion.Task;

    public void Begin()
    {
        Started = _last = Stopwatch.GetTimestamp();
        if (schedule.Count == 0)
            _completion.TrySetResult();
    }

    public void Done(int index, string? error)
    {
        var now = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            _last = now;
            _latency.Record(Started + schedule[index], now);
            if (error is not null)
            {
                _failed++;
                _firstError ??= error;
            }

            if (_latency.Count == schedule.Count)
                _completion.TrySetResult();
        }
    }

    public RoundResult ToResult() => new(
        _latency, Stopwatch.GetElapsedTime(Started, _last), _failed, OfferedRate: schedule.OfferedRate, FirstError: _firstError);
}

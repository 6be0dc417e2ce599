using System.Diagnostics;
using Orchestrator.Client;

namespace Orchestrator.Cli.Bench.Load;

/// <summary>
/// A closed loop over <c>StreamTasks</c>: each client holds one stream with <paramref name="inFlight"/> tasks, and
/// every result sends the next. The client decides the batch size.
/// </summary>
internal sealed class TaskStreamLoop(IReadOnlyList<OrchestratorClient> clients, TaskLoad load, int inFlight) : ILoadShape
{
    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var loops = clients.Select(client => new OneStream(client, load, inFlight)).ToArray();
        try
        {
            var budget = plan.Start();
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(loops.Select(loop => loop.RunAsync(budget, token)));
            var elapsed = TimeSpan.FromSeconds(
                (loops.Max(loop => loop.LastResultAt) - started) / (double)Stopwatch.Frequency);
            var all = new LatencyRecorder();
            foreach (var loop in loops)
                all.Add(loop.Latency);
            return new RoundResult(
                all,
                elapsed,
                loops.Sum(loop => loop.Failed),
                loops.Average(loop => loop.ItemsPerMessage),
                FirstError: loops.FirstOrDefault(loop => loop.FirstError is not null)?.FirstError);
        }
        finally
        {
            foreach (var loop in loops)
                await loop.DisposeAsync();
        }
    }

    private sealed class OneStream : IAsyncDisposable
    {
        private readonly TaskLoad _load;
        private readonly TaskStream _stream;
        private readonly long[] _started;
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private RoundBudget? _budget;
        private int _open;

        public OneStream(OrchestratorClient client, TaskLoad load, int inFlight)
        {
            _load = load;
            _started = new long[inFlight];
            _stream = client.Contract.OpenTaskStream(new TaskStreamOptions
            {
                Defaults = load.Options,
                MaxInFlight = inFlight,
                OnResult = OnResult,
            });
        }

        public LatencyRecorder Latency { get; } = new();

        public long LastResultAt { get; private set; } = Stopwatch.GetTimestamp();

        public long Failed { get; private set; }

        public string? FirstError { get; private set; }

        public double ItemsPerMessage => _stream.TasksWritten / (double)Math.Max(1, _stream.MessagesWritten);

        public async Task RunAsync(RoundBudget budget, CancellationToken token)
        {
            _budget = budget;
            var first = new List<V1.TaskSpec>();
            for (ulong tag = 0; tag < (ulong)_started.Length && budget.TryTake(); tag++)
                first.Add(_load.ForStream(tag));
            _open = first.Count;
            Array.Fill(_started, Stopwatch.GetTimestamp());
            if (first.Count > 0)
            {
                await _stream.SubmitAsync(first, token);
                // The stream may break instead; its Completion holds the reason.
                await (await Task.WhenAny(_done.Task, _stream.Completion).WaitAsync(token));
            }

            await _stream.CompleteAsync();
            await _stream.Completion.WaitAsync(token);
        }

        public ValueTask DisposeAsync() => _stream.DisposeAsync();

        private void OnResult(V1.TaskResult result)
        {
            var now = Stopwatch.GetTimestamp();
            LastResultAt = now;
            Latency.Record(_started[result.Tag], now);
            if (TaskLoad.Failure(result) is { } error)
            {
                Failed++;
                FirstError ??= error;
            }

            if (_budget!.TryTake())
            {
                _started[result.Tag] = now;
                // The result's slot is free, so this never waits.
                _ = _stream.SubmitAsync(_load.ForStream(result.Tag)).AsTask();
            }
            else if (Interlocked.Decrement(ref _open) == 0)
            {
                _done.TrySetResult();
            }
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Cli.LoadTest;

/// <summary>One client of a load test: it sends at its scheduled times, independent of the outcome of earlier tasks.</summary>
internal sealed class LoadSender : IAsyncDisposable
{
    // A schedule is drawn beforehand, in parts of this length, so that hours need no more memory than seconds.
    private static readonly TimeSpan PartLength = TimeSpan.FromSeconds(5);

    private readonly LoadClient _spec;
    private readonly LoadLedger _ledger;
    private readonly Func<CancellationToken, Task<OrchestratorClient>> _connect;
    private readonly Random _random;
    private readonly int[] _turns;
    private readonly TaskSpec[] _kinds;
    private readonly SemaphoreSlim _connecting = new(1);
    private volatile Connection? _connection;
    private ulong _tag;

    public LoadSender(LoadClient spec, int seed, LoadLedger ledger, Func<CancellationToken, Task<OrchestratorClient>> connect)
    {
        _spec = spec;
        _ledger = ledger;
        _connect = connect;
        _random = new Random(seed);
        _kinds = [.. spec.Tasks.Select(ToSpec)];
        _turns = [.. spec.Tasks.SelectMany((task, i) => Enumerable.Repeat(i, task.Weight))];
    }

    /// <summary>Sends for this long, and then waits for unanswered tasks.</summary>
    public async Task RunAsync(TimeSpan duration, CancellationToken token)
    {
        await ConnectAsync(token);
        for (var at = TimeSpan.Zero; at < duration;)
        {
            var (rate, length) = Part(at, duration - at);
            var schedule = new ArrivalSchedule(rate, new RoundPlan(length, 0), _random.Next());
            var begin = Stopwatch.GetTimestamp();
            await schedule.PlayAsync(begin, (from, to) => Send(schedule, begin, from, to, token), token);
            // The last arrival of a part is before its end.
            if (length - Stopwatch.GetElapsedTime(begin) is var rest && rest > TimeSpan.Zero)
                await Task.Delay(rest, TimeProvider.System, token);
            at += length;
        }

        await _connecting.WaitAsync(token);
        try
        {
            await _connection!.CompleteAsync(token);
        }
        finally
        {
            _connecting.Release();
        }
    }

    /// <summary>Disconnects as a killed client would, and reconnects.</summary>
    public async Task HangUpAsync(CancellationToken token)
    {
        await _connecting.WaitAsync(token);
        try
        {
            if (_connection is { } connection)
                await connection.DisposeAsync();
            _connection = await Connection.OpenAsync(_connect, _spec.InFlight, _ledger, token);
        }
        finally
        {
            _connecting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync();
        _connecting.Dispose();
    }

    private static TaskSpec ToSpec(LoadTask task) => new()
    {
        Handler = task.Handler,
        Input = task.Input is { } input ? Payloads.FromJson(input.GetRawText()) : null,
        Options = new TaskOptions
        {
            Retry = task.Retries > 1 ? new RetryPolicy { MaxAttempts = task.Retries, RetryWorkerLost = true } : null,
            RunTimeout = task.RunTimeout is { } limit ? Duration.FromTimeSpan(limit) : null,
        },
    };

    private Task ConnectAsync(CancellationToken token) => HangUpAsync(token);

    /// <summary>The rate at this time, and how long it lasts.</summary>
    private (double Rate, TimeSpan Length) Part(TimeSpan at, TimeSpan left)
    {
        var (rate, length) = (_spec.Rate, left);
        if (_spec.Burst is { } burst)
        {
            // Each period ends with its burst.
            var calm = burst.Every - burst.For;
            var within = TimeSpan.FromTicks(at.Ticks % burst.Every.Ticks);
            (rate, length) = within < calm ? (_spec.Rate, calm - within) : (burst.Rate, burst.Every - within);
        }

        length = length < left ? length : left;
        return (rate, length < PartLength ? length : PartLength);
    }

    private void Send(ArrivalSchedule schedule, long begin, int from, int to, CancellationToken token)
    {
        for (var i = from; i < to; i++)
        {
            var kind = _kinds[_turns[_random.Next(_turns.Length)]];
            var task = new TaskSpec { Handler = kind.Handler, Input = kind.Input, Options = kind.Options, Tag = ++_tag };
            // A reconnecting client has not lost its task: it sends it late.
            while (_connection?.TrySend(task, begin + schedule[i], token) != true)
                token.WaitHandle.WaitOne(1);
        }
    }

    /// <summary>One connection of the client.</summary>
    private sealed class Connection : IAsyncDisposable
    {
        private readonly OrchestratorClient _client;
        private readonly TaskStream _stream;
        private readonly LoadLedger _ledger;
        private readonly ConcurrentDictionary<ulong, long> _open = new();
        private readonly Lock _gate = new();
        private bool _ended;

        private Connection(OrchestratorClient client, int inFlight, LoadLedger ledger)
        {
            _client = client;
            _ledger = ledger;
            _stream = client.Contract.OpenTaskStream(new TaskStreamOptions { MaxInFlight = inFlight, OnResult = OnResult });
        }

        public static async Task<Connection> OpenAsync(
            Func<CancellationToken, Task<OrchestratorClient>> connect, int inFlight, LoadLedger ledger, CancellationToken token) =>
            new(await connect(token), inFlight, ledger);

        /// <summary>Sends tasks; false if this connection has ended.</summary>
        public bool TrySend(TaskSpec task, long intended, CancellationToken token)
        {
            ValueTask submitted;
            lock (_gate)
            {
                if (_ended)
                    return false;
                _open[task.Tag] = intended;
                _ledger.Add(1);
                submitted = _stream.SubmitAsync(task, token);
            }

            try
            {
                // A full stream blocks the sender; tasks due meanwhile are late, and their latency includes the delay.
                if (!submitted.IsCompletedSuccessfully)
#pragma warning disable VSTHRD002 // The schedule's own thread, which is meant to wait.
                    submitted.AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
            }
            catch (Exception exception) when (_ended
                && exception is OrchestratorException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                // The client disconnected meanwhile; the task counts as abandoned.
            }

            return true;
        }

        public async Task CompleteAsync(CancellationToken token)
        {
            await _stream.CompleteAsync();
            await _stream.Completion.WaitAsync(token);
        }

        public async ValueTask DisposeAsync()
        {
            lock (_gate)
                _ended = true;
            await _stream.DisposeAsync();
            await _client.DisposeAsync();
            // No more results arrive.
            _ledger.GiveUp(_open.Count);
            _open.Clear();
        }

        private void OnResult(TaskResult result)
        {
            var now = Stopwatch.GetTimestamp();
            if (_open.TryRemove(result.Tag, out var intended))
                _ledger.End(result, intended, now);
            else
                _ledger.Stray();
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench;

/// <summary>
/// Measures how a client is affected by another that offers ten times the workers' capacity: its rate and latency before, during and after,
/// and the coordinator's memory. The flooding client ignores refusals; its accepted tasks stay queued until it cancels them.
/// </summary>
internal sealed class OverloadBench(OrchestratorClient modest, OrchestratorClient greedy, TimeSpan phase, Terminal terminal)
{
    private const double Share = 0.3;
    private const double Times = 10;
    private const double LeastRate = 0.9;
    private const double MostLatency = 1.5;
    private const int MostCalls = 16;
    private const string Handler = "sha256";

    // About 25 ms of computing, so that on a machine of two cores the flood takes little processor time from the workers, and enough bytes
    // to fill memory.
    private const int TextLength = 16_000;
    private const int Rounds = 40_000;

    // 1.5 MB: no message is too large, even after a late start.
    private const int MostTasksPerCall = 100;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(1);

    private readonly Payload _input = Payloads.FromJson($$"""{"text": "{{new string('x', TextLength)}}", "rounds": {{Rounds}}}""");
    private readonly ConcurrentQueue<(long Intended, long Answered)> _answers = new();
    private readonly ConcurrentBag<ulong> _accepted = [];
    private long _offered;
    private long _refused;
    private long _mostMemory;

    /// <summary>Runs it and prints a table; returns 4 if the modest client's rate or the memory is out of bounds.</summary>
    public async Task<int> RunAsync(bool check, CancellationToken token)
    {
        var capacity = await MeasureCapacityAsync(token);
        terminal.Note(
            $"the workers do {Format.Rate(capacity)} of these tasks a second; one client sends {Format.Rate(capacity * Share)}, the " +
            $"other {Format.Rate(capacity * Times)}");
        var budget = (await modest.Contract.ListLimitsAsync(token)).Single(limit => limit.Name == "memory").Maximum;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(token);
        var watching = WatchMemoryAsync(ending.Token);
        await using var stream = modest.Contract.OpenTaskStream(new TaskStreamOptions { OnResult = OnResult }, token);
        var begin = Stopwatch.GetTimestamp();
        var schedule = new ArrivalSchedule(capacity * Share, new RoundPlan((phase * 4) + Recovery, 0), seed: 1);
        var sending = schedule.PlayAsync(begin, (from, to) => Send(stream, schedule, begin, from, to), token);
        await Task.Delay(phase, TimeProvider.System, token);
        await FloodAsync(capacity * Times, token);
        await Task.Delay(Rest(begin, phase * 3), TimeProvider.System, token);
        foreach (var ids in _accepted.Chunk(10_000))
            await greedy.CancelAsync(ids, cancellationToken: token);
        var over = Stopwatch.GetElapsedTime(begin);
        await sending;
        await stream.CompleteAsync();
        await stream.Completion.WaitAsync(token);
        await ending.CancelAsync();
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Report(begin, over, schedule, budget, check);
    }

    private static TimeSpan Rest(long begin, TimeSpan until) =>
        TimeSpan.FromTicks(Math.Max(0, (until - Stopwatch.GetElapsedTime(begin)).Ticks));

    private async Task<double> MeasureCapacityAsync(CancellationToken token)
    {
        var loop = new TaskStreamLoop([modest], new TaskLoad(Handler, _input, null), 64);
        // Once to warm up.
        await loop.RunAsync(new RoundPlan(phase / 2, 0), token);
        return (await loop.RunAsync(new RoundPlan(phase / 2, 0), token)).PerSecond;
    }

    private void Send(TaskStream stream, ArrivalSchedule schedule, long begin, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            var submitted = stream.SubmitAsync(new TaskSpec { Handler = Handler, Input = _input, Tag = (ulong)(begin + schedule[i]) });
            if (!submitted.IsCompletedSuccessfully)
#pragma warning disable VSTHRD002 // The schedule's own thread, which is meant to wait.
                submitted.AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
        }
    }

    private void OnResult(TaskResult result)
    {
        if (result.State == TaskState.Succeeded)
            _answers.Enqueue(((long)result.Tag, Stopwatch.GetTimestamp()));
    }

    private async Task FloodAsync(double rate, CancellationToken token)
    {
        var begin = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        using var room = new SemaphoreSlim(MostCalls);
        var calls = new List<Task>();
        while (await timer.WaitForNextTickAsync(token) && Stopwatch.GetElapsedTime(begin) is var elapsed && elapsed < phase)
        {
            var due = Math.Min(MostTasksPerCall, (int)((elapsed.TotalSeconds * rate) - _offered));
            if (due <= 0)
                continue;
            await room.WaitAsync(token);
            _offered += due;
            calls.Add(OfferAsync(due, room, token));
        }

        await Task.WhenAll(calls);
    }

    private async Task OfferAsync(int count, SemaphoreSlim room, CancellationToken token)
    {
        try
        {
            foreach (var id in await greedy.Contract.SubmitAsync(
                Enumerable.Repeat(new TaskSpec { Handler = Handler, Input = _input }, count), token))
                _accepted.Add(id);
        }
        catch (ResourceExhaustedException)
        {
            Interlocked.Add(ref _refused, count);
        }
        finally
        {
            room.Release();
        }
    }

    private async Task WatchMemoryAsync(CancellationToken token)
    {
        await foreach (var status in modest.Contract.WatchStatusAsync(TimeSpan.FromMilliseconds(100), token))
            _mostMemory = Math.Max(_mostMemory, (long)status.Coordinator.RssBytes);
    }

    private int Report(long begin, TimeSpan over, ArrivalSchedule schedule, long budget, bool check)
    {
        var (alone, beside) = (Phase("alone", TimeSpan.Zero, phase), Phase("beside the flood", phase, phase * 2));
        var backlog = Phase("beside what it left in line", phase * 2, phase * 3);
        var end = (phase * 4) + Recovery;
        var (soon, later) = (Phase("in the first second without", over, over + Recovery), Phase("after that", over + Recovery, end));
        terminal.WriteTable(
            [new("the modest client"), new("tasks/s", true), new("of what it sent", true), new("p50", true), new("p99", true)],
            new[] { alone, beside, backlog, soon, later }.Select(row => (string[])
                [row.Name, Format.Rate(row.Rate), $"{row.Share:P0}", Format.Time(row.Latency.At(50)), Format.Time(
                    row.Latency.At(90) is null ? null : row.Latency.At(99))]));
        terminal.Line(
            $"the flood: {Format.Count(_offered)} tasks offered, {Format.Count(_accepted.Count)} accepted, {Format.Count(_refused)} " +
            "refused; " +
                      $"the coordinator took {Format.Bytes((ulong)_mostMemory)} at most, of a budget of {Format.Bytes((ulong)budget)}");
        var faults = new List<string>();
        if (beside.Share < LeastRate * alone.Share)
            faults.Add($"beside the flood it got {beside.Share:P0} of what it sent, alone {alone.Share:P0}: less than nine tenths");
        if (later.Latency.At(50) is { } after && alone.Latency.At(50) is { } before && after > before * MostLatency)
            faults.Add(
                $"a second after the flood's last task half of its tasks still took {Format.Time(after)} and more, alone " +
                $"{Format.Time(before)}");
        if (_mostMemory > budget)
            faults.Add("the coordinator took more than its memory budget");
        if (_refused == 0)
            terminal.Note(
                "nothing was refused: the flood did not reach a limit; give it longer (--duration), or the coordinator a smaller " +
                "--memory-budget");
        foreach (var fault in faults)
            terminal.Error(fault);
        return check && faults.Count > 0 ? ExitCode.ThresholdMissed : ExitCode.Ok;

        PhaseFigures Phase(string name, TimeSpan from, TimeSpan to)
        {
            var (first, last) = (begin + Ticks(from), begin + Ticks(to));
            var figures = new PhaseFigures(name);
            foreach (var (intended, answered) in _answers)
            {
                if (intended >= first && intended < last)
                    figures.Latency.Record(intended, answered);
                if (answered >= first && answered < last)
                    figures.Answered++;
            }

            var sent = Enumerable.Range(0, schedule.Count).Count(i => schedule[i] >= Ticks(from) && schedule[i] < Ticks(to));
            figures.Rate = figures.Answered / (to - from).TotalSeconds;
            figures.Share = figures.Answered / (double)Math.Max(1, sent);
            return figures;
        }
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private sealed record PhaseFigures(string Name)
    {
        public LatencyRecorder Latency { get; } = new();

        public long Answered { get; set; }

        public double Rate { get; set; }

        public double Share { get; set; }
    }
}

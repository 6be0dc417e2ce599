using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.LoadTest;

/// <summary>Runs a scenario against a coordinator, and checks its thresholds.</summary>
internal sealed class LoadRun(LoadScenario scenario, Func<CancellationToken, Task<OrchestratorClient>> connect, Terminal terminal)
{
    private const int Notes = 10;

    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly LoadLedger _ledger = new();
    private readonly List<LoadSender> _senders = [];
    private readonly Replacements _replacements = new();
    private int _kills;

    public async Task<LoadVerdict> RunAsync(CancellationToken token)
    {
        await using var observer = await connect(token);
        if (scenario.Kills.Any(kill => kill.What == LoadKill.Worker) && !(observer.Address.IsLoopback || observer.Address.Scheme == "unix"))
            throw new UsageException($"the scenario kills workers, and those of {observer.Address} do not run on this machine");
        var before = (await observer.Contract.GetStatusAsync(token)).Tasks;
        foreach (var client in scenario.Clients)
        {
            for (var i = 0; i < client.Count; i++)
                _senders.Add(new LoadSender(client, HashCode.Combine(scenario.Seed, _senders.Count), _ledger, connect));
        }

        var started = Stopwatch.GetTimestamp();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(token);
        var beside = scenario.Kills.Select((kill, i) => KillAsync(kill, new Random(scenario.Seed + i), observer, ending.Token))
            .Append(NoteAsync(ending.Token)).Append(_replacements.WatchAsync(observer, ending.Token)).ToArray();
        try
        {
            await Task.WhenAll(_senders.Select(sender => sender.RunAsync(scenario.Duration, token)));
        }
        finally
        {
            await ending.CancelAsync();
            foreach (var task in beside)
                await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var sender in _senders)
                await sender.DisposeAsync();
        }

        // A failed kill is not a cancellation, and must not be reported as one.
        foreach (var task in beside.Where(task => task.IsFaulted))
            await task;
        var elapsed = Stopwatch.GetElapsedTime(started);
        var status = await SettleAsync(observer, token);
        return new LoadVerdict(scenario, _ledger, elapsed, _kills, _replacements.Times, before, status);
    }

    /// <summary>Waits while the coordinator cancels the tasks of disconnected clients.</summary>
    private static async Task<ServiceStatus> SettleAsync(OrchestratorClient observer, CancellationToken token)
    {
        var begin = Stopwatch.GetTimestamp();
        while (true)
        {
            var status = await observer.Contract.GetStatusAsync(token);
            if (status.Tasks.Queued + status.Tasks.Running == 0 || Stopwatch.GetElapsedTime(begin) > Settle)
                return status;
            await Task.Delay(Look, TimeProvider.System, token);
        }
    }

    private async Task KillAsync(LoadKill kill, Random random, OrchestratorClient observer, CancellationToken token)
    {
        using var timer = new PeriodicTimer(kill.Every);
        while (await timer.WaitForNextTickAsync(token))
        {
            if (kill.What == LoadKill.Client)
            {
                await _senders[random.Next(_senders.Count)].HangUpAsync(token);
                Interlocked.Increment(ref _kills);
                continue;
            }

            var ready = (await observer.Contract.GetStatusAsync(token)).Workers
                .Where(worker => worker.State == WorkerState.Ready && worker.Pid > 0)
                .ToArray();
            if (ready.Length == 0)
                continue;
            try
            {
                var victim = ready[random.Next(ready.Length)];
                using var process = Process.GetProcessById(victim.Pid);
                _replacements.Killed(victim.Name);
                process.Kill();
                Interlocked.Increment(ref _kills);
            }
            catch (ArgumentException)
            {
                // The process has ended by itself meanwhile.
            }
        }
    }

    private async Task NoteAsync(CancellationToken token)
    {
        using var timer = new PeriodicTimer(scenario.Duration / Notes);
        var started = Stopwatch.GetTimestamp();
        while (await timer.WaitForNextTickAsync(token))
        {
            terminal.Note(
                $"{Format.Time(Stopwatch.GetElapsedTime(started))}: {Format.Count(_ledger.Sent)} sent, {Format.Count(_ledger.Answered)} " +
                "answered, " +
                          $"{_kills} killed");
        }
    }
}

/// <summary>The outcome of a scenario.</summary>
internal sealed class LoadVerdict
{
    private readonly LoadScenario _scenario;
    private readonly LoadLedger _ledger;
    private readonly TimeSpan _elapsed;
    private readonly int _kills;
    private readonly double _megabytes;
    private readonly LatencyRecorder _replacements;

    public LoadVerdict(LoadScenario scenario, LoadLedger ledger, TimeSpan elapsed, int kills, LatencyRecorder replacements,
        TaskCounts before, ServiceStatus after)
    {
        _scenario = scenario;
        _ledger = ledger;
        _elapsed = elapsed;
        _kills = kills;
        _replacements = replacements;
        _megabytes = after.Coordinator.RssBytes / 1e6;
        Faults = [.. ledger.Imbalances(before, after.Tasks), .. Missed()];
    }

    /// <summary>The reasons of failure; empty if the scenario passed.</summary>
    public IReadOnlyList<string> Faults { get; }

    public void Write(Terminal terminal)
    {
        terminal.Line($"{_scenario.Name}: {Format.Time(_elapsed)}, {_kills} kill{(_kills == 1 ? "" : "s")}");
        terminal.WriteGrid(
            [new("ledger"), new("tasks", true)],
            [
                ["sent", Format.Count(_ledger.Sent)],
                .. _ledger.Ended.Select(pair => (string[])["  " + pair.Key, Format.Count(pair.Value)]),
                ["  given up by clients that hung up", Format.Count(_ledger.GivenUp)],
            ]);
        var percentiles = ((double[])[50, 99, 99.9]).Select(
            p => FormattableString.Invariant($"p{p} ") + Format.Time(_ledger.Latency.At(p)));
        terminal.Line(
            $"{Format.Rate(PerSecond)} tasks/s; {string.Join(", ", percentiles)}, longest {Format.Time(_ledger.Latency.Max)}, from the " +
            $"intended start of each; coordinator {Format.Number(_megabytes)} MB");
        if (_ledger.FirstFailure is { } failure)
            terminal.Line($"the first that did not succeed: {failure}");
        if (_replacements.Count > 0)
            terminal.Line(
                $"from the kill of a worker until its place was filled: mean {Format.Time(_replacements.Mean)}, p50 " +
                $"{Format.Time(_replacements.At(50))}, longest {Format.Time(_replacements.Max)}, of {_replacements.Count}");
        terminal.Line(Faults.Count == 0 ? "passed: the ledger balances, every threshold holds" : "FAILED");
        foreach (var fault in Faults)
            terminal.Error($"  {fault}");
    }

    public object ToJson() => new
    {
        scenario = _scenario.Name,
        passed = Faults.Count == 0,
        faults = Faults,
        seconds = _elapsed.TotalSeconds,
        per_second = PerSecond,
        kills = _kills,
        replaced_seconds =
            new { count = _replacements.Count, p50 = _replacements.At(50)?.TotalSeconds, max = _replacements.Max.TotalSeconds },
        sent = _ledger.Sent,
        ended = _ledger.Ended,
        given_up = _ledger.GivenUp,
        latency_seconds = new
        {
            p50 = _ledger.Latency.At(50)?.TotalSeconds,
            p99 = _ledger.Latency.At(99)?.TotalSeconds,
            max = _ledger.Latency.Max.TotalSeconds
        },
        coordinator_mb = _megabytes,
    };

    private double PerSecond => _ledger.Answered / _elapsed.TotalSeconds;

    private IEnumerable<string> Missed()
    {
        var asked = _scenario.Thresholds;
        if (asked.MaxP99 is { } most && !(_ledger.Latency.At(99) <= most))
        {
            yield return _ledger.Latency.At(99) is { } p99
                ? $"p99 is {Format.Time(p99)}, and max_p99 is {Format.Time(most)}"
                : $"max_p99 needs {Format.Count(LatencyRecorder.SamplesNeeded(99))} tasks, and there were " +
                    $"{Format.Count(_ledger.Latency.Count)}";
        }

        if (asked.MinPerSecond is { } least && PerSecond < least)
            yield return $"{Format.Rate(PerSecond)} tasks/s, and min_per_second is {Format.Rate(least)}";
        foreach (var (state, limit) in asked.MaxEnded)
        {
            if (_ledger.Ended.GetValueOrDefault(state) is var count && count > limit)
                yield return $"{Format.Count(count)} tasks ended {state}, and max_ended allows {Format.Count(limit)}";
        }

        if (_kills < asked.MinKills)
            yield return $"{_kills} kills, and min_kills is {asked.MinKills}";
        if (asked.MaxCoordinatorMb is { } megabytes && _megabytes > megabytes)
            yield return $"the coordinator has {Format.Number(_megabytes)} MB, and max_coordinator_mb is {Format.Number(megabytes)}";
    }
}

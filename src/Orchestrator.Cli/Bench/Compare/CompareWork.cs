using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Handlers.Common;
using Orchestrator.Handlers.Cpu;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The kinds of tasks in a comparison.</summary>
internal enum CompareWorkload
{
    /// <summary>They compute.</summary>
    Cpu,

    /// <summary>They wait.</summary>
    Io,

    /// <summary>One that computes and one that waits, in turn.</summary>
    Mixed,
}

/// <summary>Tasks of one kind and size, run here or sent to a worker: the same handlers do the work in either case.</summary>
/// <param name="kind">What they do.</param>
/// <param name="size">The duration of one task by itself.</param>
/// <param name="samplesPerSecond">How many samples of <c>monte_carlo_pi</c> one core of this machine computes.</param>
internal sealed class CompareWork(CompareWorkload kind, TimeSpan size, double samplesPerSecond)
{
    private const int CalibrationSamples = 200_000;
    private const int CalibrationRuns = 41;

    private static readonly TimeSpan InFlightTime = TimeSpan.FromMilliseconds(100);

    private int _turn = -1;

    public CompareWorkload Kind => kind;

    public TimeSpan Size => size;

    private long Samples => Math.Max(1, (long)(size.TotalSeconds * samplesPerSecond));

    /// <summary>
    /// Enough tasks in flight to keep every worker busy, and few enough that the last ones end soon. For waiting tasks, this is the only
    /// limit.
    /// </summary>
    public int InFlight => Kind == CompareWorkload.Io
        ? 1_000
        : (int)Math.Clamp(
            InFlightTime * Environment.ProcessorCount / Size, 2 * Environment.ProcessorCount, Kind == CompareWorkload.Cpu ? 4_096 : 1_000);

    /// <summary>The number of samples per second computed here, once the code is compiled.</summary>
    public static double Calibrate()
    {
        var rates = new List<double>();
        for (var i = 0; i < CalibrationRuns; i++)
        {
            var started = Stopwatch.GetTimestamp();
            NumericHandlers.MonteCarloPi(new SamplesInput(CalibrationSamples, 1), CancellationToken.None);
            rates.Add(CalibrationSamples / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        // Take the best run: the first runs are not compiled yet, and other load only ever slows a run down.
        return rates.Order().ElementAt(CalibrationRuns * 3 / 4);
    }

    /// <summary>Runs the next task here, and blocks the thread meanwhile.</summary>
    public void RunHere(CancellationToken token)
    {
        if (NextComputes())
            Compute(token);
        else
            token.WaitHandle.WaitOne(Size);
    }

    /// <summary>Runs the next task here; a waiting task holds no thread.</summary>
    public async Task RunHereAsync(CancellationToken token)
    {
        if (NextComputes())
            Compute(token);
        else
            await Task.Delay(Size, TimeProvider.System, token);
    }

    /// <summary>The tasks as sent to the coordinator.</summary>
    /// <param name="cpu">Where computing tasks run.</param>
    /// <param name="io">Where waiting tasks run.</param>
    public TaskLoad ToLoad(Placement cpu, Placement io)
    {
        var computing = new TaskSpec
        {
            Handler = "monte_carlo_pi",
            Input = Payloads.FromJson($$"""{"samples": {{Samples}}, "seed": 1}"""),
            Options = new TaskOptions { Placement = cpu },
        };
        var waiting = new TaskSpec
        {
            Handler = "sleep",
            Input = Payloads.FromJson($$"""{"ms": {{(int)Math.Round(Size.TotalMilliseconds)}}}"""),
            Options = new TaskOptions { Placement = io },
        };
        return new TaskLoad(Kind switch { CompareWorkload.Cpu => [computing], CompareWorkload.Io => [waiting], _ => [computing, waiting] });
    }

    private bool NextComputes() =>
        Kind == CompareWorkload.Cpu || (Kind == CompareWorkload.Mixed && Interlocked.Increment(ref _turn) % 2 == 0);

    private void Compute(CancellationToken token) => NumericHandlers.MonteCarloPi(new SamplesInput(Samples, 1), token);
}

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>How workers are started, watched and replaced.</summary>
public sealed record SupervisorOptions
{
    /// <summary>Worker processes of the first group; by default one per core that this process may use.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// The number of workers per group that are started ahead and take over a slot the moment its worker is lost; 0 or 1.
    /// </summary>
    public int HotSpares { get; init; } = 1;

    /// <summary>
    /// The command that starts a worker of the first group; by default this program's own file with the argument <c>worker</c>.
    /// </summary>
    public IReadOnlyList<string> Command { get; init; } = DefaultCommand();

    /// <summary>Groups of workers besides the first, such as workers in another language.</summary>
    public IReadOnlyList<WorkerGroupOptions> MoreGroups { get; init; } = [];

    /// <summary>All groups: the first, which has <see cref="Workers"/> and <see cref="Command"/>, and the others.</summary>
    public IReadOnlyList<WorkerGroupOptions> Groups => [new(WorkerGroupOptions.FirstName, Workers, Command), .. MoreGroups];

    /// <summary>Names of environment variables that workers inherit beyond the basic ones (PATH, HOME, locale, .NET's own).</summary>
    public IReadOnlyList<string> InheritedVariables { get; init; } = [];

    /// <summary>Whether each worker is pinned to a core.</summary>
    public bool PinWorkers { get; init; } = true;

    /// <summary>
    /// The maximum number of concurrent IO tasks per worker. The guarantee of 10,000 waiting IO tasks on two workers needs 5,000; a waiting
    /// task costs about a kilobyte.
    /// </summary>
    public int MaxConcurrentIo { get; init; } = 10_000;

    /// <summary>Threads of a worker's blocking lane.</summary>
    public int BlockingThreads { get; init; } = 64;

    /// <summary>How long a worker may take from its start to its Hello.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A worker that is silent this long is suspect, which is logged. The heartbeat interval is 500 ms.</summary>
    public TimeSpan SuspectAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A worker that is silent this long is killed and replaced.</summary>
    public TimeSpan KillAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The wait before a worker that died early is started again; doubles with each further early death, ± 20 %.</summary>
    public TimeSpan RestartBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest such wait.</summary>
    public TimeSpan MaxRestartBackoff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After this many early deaths within <see cref="IntensityWindow"/> a slot is given up (FAILED) until it is recycled manually. Early
    /// means before the first finished task and within <see cref="EarlyLifetime"/>: a worker killed while working is not a crash loop.
    /// </summary>
    public int MaxEarlyDeaths { get; init; } = 5;

    /// <summary>See <see cref="MaxEarlyDeaths"/>.</summary>
    public TimeSpan IntensityWindow { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>See <see cref="MaxEarlyDeaths"/>.</summary>
    public TimeSpan EarlyLifetime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time between SIGTERM and SIGKILL of a worker that must end.</summary>
    public TimeSpan TerminateGrace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a recycled worker may take to finish its running tasks.</summary>
    public TimeSpan DrainLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A worker that has ended this many tasks, ± 10 %, is replaced: its successor starts first, and its running tasks may finish. Null:
    /// never. <see cref="RecycleShare"/> bounds the rate of replacements; a worker that waits for its turn runs more tasks.
    /// </summary>
    public long? RecycleAfterTasks { get; init; }

    /// <summary>
    /// The maximum share of processor time that replacements for <see cref="RecycleAfterTasks"/> may cost. At 0.02, with two cores and a
    /// worker that takes 0.4 s of processor time to start and to warm up, one worker is replaced every 10 s.
    /// </summary>
    public double RecycleShare { get; init; } = 0.02;

    /// <summary>
    /// A worker with more resident memory than this many bytes is replaced, as above but regardless of the cost. Null: never.
    /// </summary>
    public long? MaxWorkerMemory { get; init; }

    private static IReadOnlyList<string> DefaultCommand()
    {
        var program = Environment.ProcessPath ?? "orchestrator";
        // Under `dotnet program.dll` the process is the host, which needs the program's path as an argument.
        if (Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            && Environment.GetCommandLineArgs() is [var assembly, ..])
            return [program, assembly, "worker"];
        return [program, "worker"];
    }

    /// <summary>How long to wait before the next start after this many early deaths: doubled with each, and spread by ± 20 %.</summary>
    internal TimeSpan BackoffAfter(int deaths)
    {
        var wait = Math.Min(RestartBackoff.TotalSeconds * Math.Pow(2, deaths - 1), MaxRestartBackoff.TotalSeconds);
        return TimeSpan.FromSeconds(wait * (0.8 + (0.4 * Random.Shared.NextDouble())));
    }
}

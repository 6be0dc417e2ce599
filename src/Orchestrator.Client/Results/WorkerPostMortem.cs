using Google.Protobuf.WellKnownTypes;
using Orchestrator.V1;

namespace Orchestrator.Client.Results;

/// <summary>The known facts about the death of a worker process.</summary>
public sealed record WorkerPostMortem
{
    /// <summary>The worker's name and incarnation, such as <c>worker-1#3</c>.</summary>
    public string Worker { get; init; } = "";

    /// <summary>The process id that it had.</summary>
    public int Pid { get; init; }

    /// <summary>Its exit code; null if a signal ended it.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The signal that ended it, such as <c>SIGKILL</c>; empty if it exited.</summary>
    public string Signal { get; init; } = "";

    /// <summary>Whether the kernel ended it because memory ran out.</summary>
    public bool OutOfMemory { get; init; }

    /// <summary>The most memory that it held, in bytes.</summary>
    public ulong PeakRssBytes { get; init; }

    /// <summary>The CPU time that it used.</summary>
    public TimeSpan CpuTime { get; init; }

    /// <summary>The last lines that it wrote to its standard error.</summary>
    public IReadOnlyList<string> LastStderrLines { get; init; } = [];

    internal static WorkerPostMortem From(PostMortem message) => new()
    {
        Worker = message.Worker,
        Pid = message.Pid,
        ExitCode = message.HasExitCode ? message.ExitCode : null,
        Signal = message.Signal,
        OutOfMemory = message.OutOfMemory,
        PeakRssBytes = message.PeakRssBytes,
        CpuTime = message.CpuTime?.ToTimeSpan() ?? TimeSpan.Zero,
        LastStderrLines = message.LastStderrLines,
    };

    internal PostMortem ToMessage()
    {
        var message = new PostMortem
        {
            Worker = Worker,
            Pid = Pid,
            Signal = Signal,
            OutOfMemory = OutOfMemory,
            PeakRssBytes = PeakRssBytes,
            CpuTime = Duration.FromTimeSpan(CpuTime),
            LastStderrLines = { LastStderrLines },
        };
        if (ExitCode is { } code)
            message.ExitCode = code;
        return message;
    }
}

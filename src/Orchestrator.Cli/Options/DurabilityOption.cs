using System.CommandLine;
using Orchestrator.Client.Objects;

namespace Orchestrator.Cli.Options;

/// <summary>The option for what a task or an object survives.</summary>
internal static class DurabilityOption
{
    private const string Meaning =
        "What it survives: nothing (memory), the end of the coordinator's process (process), or also the loss of power (disk)";

    /// <summary>For a verb that always creates the task or the object.</summary>
    public static Option<string> Create() => New($"{Meaning}.", "memory");

    /// <summary>For a verb that creates the object if there is none: without the option, an existing one keeps its own.</summary>
    public static Option<string?> CreateForFirstChange() =>
        New($"{Meaning}. Only if this command creates it, memory by default; all callers that give it must agree.", null)!;

    private static Option<string> New(string description, string? usual)
    {
        var option = new Option<string>("--durability") { Description = description, HelpName = "memory|process|disk" };
        if (usual is not null)
            option.DefaultValueFactory = _ => usual;
        return option.AcceptOnlyFromAmong("memory", "process", "disk");
    }

    public static DurabilityLevel Parse(string? text) => text switch
    {
        "memory" => DurabilityLevel.Memory,
        "process" => DurabilityLevel.Process,
        "disk" => DurabilityLevel.Disk,
        _ => DurabilityLevel.Default,
    };
}

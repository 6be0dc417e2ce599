using System.CommandLine;
using Orchestrator.V1;

namespace Orchestrator.Cli.Options;

/// <summary>The option for what a task or an object survives.</summary>
internal static class DurabilityOption
{
    public static Option<string> Create(string what)
    {
        var option = new Option<string>("--durability")
        {
            Description = $"What {what} survives: nothing, the end of the coordinator's process, or also the loss of power.",
            HelpName = "memory|process|disk",
            DefaultValueFactory = _ => "memory",
        };
        return option.AcceptOnlyFromAmong("memory", "process", "disk");
    }

    public static Durability Parse(string? text) => text switch
    {
        "process" => Durability.Process,
        "disk" => Durability.Disk,
        _ => Durability.Memory,
    };
}

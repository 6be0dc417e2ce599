using System.CommandLine;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Options;

/// <summary>The option for how many of something a verb handles before it ends.</summary>
internal static class CountOption
{
    public static Option<long?> Create(string what, long? usual = null)
    {
        var option = new Option<long?>("--count", "-n") { Description = $"How many {what}.", HelpName = "N" };
        if (usual is not null)
            option.DefaultValueFactory = _ => usual;
        return option;
    }

    /// <summary>The count, where no more can be meant than 32 bits hold.</summary>
    /// <exception cref="UsageException">It is more.</exception>
    public static int ReadInt(long? count) => count is { } number && number == (int)number
        ? (int)number : throw new UsageException($"--count must be at most {int.MaxValue}.");
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace Orchestrator.Cli.Commands;

/// <summary>The default help, followed by examples.</summary>
internal sealed class ExamplesHelp(HelpAction usual) : SynchronousCommandLineAction
{
    private static readonly ConditionalWeakTable<Command, string[]> Examples = [];

    public override bool ClearsParseErrors => usual.ClearsParseErrors;

    public static void Register(Command command, string[] lines) => Examples.AddOrUpdate(command, lines);

    /// <summary>A verb's examples; empty if it has none.</summary>
    public static IReadOnlyList<string> Of(Command command) => Examples.TryGetValue(command, out var lines) ? lines : [];

    public static void Install(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExamplesHelp((HelpAction)help.Action!);
    }

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        if (Examples.TryGetValue(parseResult.CommandResult.Command, out var lines))
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var line in lines)
                output.WriteLine("  " + line);
            output.WriteLine();
        }

        return code;
    }
}

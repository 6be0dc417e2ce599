using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.CompilerServices;
using System.Text;
using Orchestrator.Cli.Commands;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Cli;

/// <summary>The verbs of the command, and the way from arguments to one of them.</summary>
internal static class CommandLine
{
    private static readonly Lazy<RootCommand> Tree = new(CreateRoot);

    /// <summary>The whole tree of verbs.</summary>
    internal static RootCommand Root => Tree.Value;

    // Not inlined: a worker must not load the parser's assembly for a method that it never calls.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Task<int> RunAsync(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return RunAsync(args, Console.Out, Console.Error);
    }

    /// <summary>Runs a verb that writes its results and its errors to these writers.</summary>
    internal static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = Root.Parse(args);
        // Without any verb the help is what is missing.
        if (parsed.Action is ParseErrorAction && args.Length > 0)
            return await ExplainAsync(parsed, error);
        var configuration = new InvocationConfiguration { ProcessTerminationTimeout = null, Output = output, Error = error };
        // The coordinator has its own way of stopping: it drains first, and a second signal stops at once.
        var code = parsed.CommandResult.Command.Name == ServeCommand.Name
            ? await parsed.InvokeAsync(configuration)
            // Whatever runs under a lock or a permit gets the signal, too, and must not lose what it holds while it ends in its own time.
            : await Interruption.RunAsync(
                token => parsed.InvokeAsync(configuration, token), ChildCommand.IsRunBy(parsed.CommandResult) ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(2));
        // The parser reports a wrong command line as 1, which is the code of a failed task here.
        return parsed.Action is ParseErrorAction ? ExitCode.Usage : code;
    }

    /// <summary>This process's own arguments, parsed anew: what a file that they name with <c>@</c> says may have changed.</summary>
    /// <exception cref="UsageException">They are wrong now; says how.</exception>
    internal static CommandContext Again()
    {
        var parsed = Root.Parse(Environment.GetCommandLineArgs()[1..]);
        return parsed.Errors is [] ? new CommandContext(parsed) : throw new UsageException(string.Join(' ', parsed.Errors.Select(error => error.Message)));
    }

    /// <summary>One line on what is wrong, with what was probably meant; a page of help would push it off the screen.</summary>
    private static async Task<int> ExplainAsync(ParseResult parsed, TextWriter error)
    {
        var verb = string.Join(' ', new CommandContext(parsed).Words.Where(word => word != parsed.RootCommandResult.Command.Name).Append("--help"));
        await error.WriteLineAsync($"orchestrator: {WhatIsWrong(parsed)} See 'orchestrator {verb}'.");
        return ExitCode.Usage;
    }

    private static string WhatIsWrong(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        // The parser takes a mistyped option for an argument where there is room for one.
        var mistyped = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).FirstOrDefault(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal));
        if ((mistyped?.Value ?? (parsed.UnmatchedTokens is [var first, ..] ? first : null)) is not { } word)
            return string.Join(' ', parsed.Errors.Select(wrong => wrong.Message).Distinct());
        // What follows the first of them is wrong only because it is.
        if (word.StartsWith('-'))
            return $"There is no option '{word}' here.{Meant(word, OptionsOf(parsed.CommandResult))}";
        return command.Subcommands.Count > 0
            ? $"There is no command '{word}' here.{Meant(word, command.Subcommands.Where(verb => !verb.Hidden).SelectMany(verb => verb.Aliases.Append(verb.Name)))}"
            : $"'{word}' is one argument too many.";
    }

    private static string Meant(string word, IEnumerable<string> names) =>
        NameSuggestions.Of(word, names.Distinct()) is { Count: > 0 } near ? $" Did you mean {string.Join(" or ", near.Select(name => $"'{name}'"))}?" : "";

    private static IEnumerable<string> OptionsOf(SymbolResult? result)
    {
        for (; result is not null; result = result.Parent)
        {
            if (result is not CommandResult { Command: var command })
                continue;
            foreach (var option in command.Options.Where(option => !option.Hidden && (option.Recursive || result.Parent is null || command.Subcommands.Count == 0)))
                yield return option.Name;
        }
    }

    private static RootCommand CreateRoot()
    {
        var root = new RootCommand("Runs CPU-bound and IO-bound tasks in worker processes.")
        {
            ServeCommand.Create(),
            RunCommand.Create(),
            StatusCommand.Create(),
            WorkersCommand.Create(),
            HandlersCommand.Create(),
            TasksCommand.Create(),
            CancelCommand.Create(),
            RecycleCommand.Create(),
            ScaleCommand.Create(),
            DrainCommand.Create(),
            EventsCommand.Create(),
            LogsCommand.Create(),
            TopCommand.Create(),
            DoctorCommand.Create(),
            LimitsCommand.Create(),
            ObjectsCommand.Create(),
            QueueCommand.Create(),
            PipeCommand.Create(),
            DictCommand.Create(),
            ListCommand.Create(),
            ValueCommand.Create(),
            ArrayCommand.Create(),
            LockCommand.Create(),
            SemaphoreCommand.Create(),
            EventCommand.Create(),
            BarrierCommand.Create(),
            LatchCommand.Create(),
            LimiterCommand.Create(),
            WaitsCommand.Create(),
            JournalCommand.Create(),
            TokenCommand.Create(),
            BenchCommand.Create(),
            LoadCommand.Create(),
            DemoCommand.Create(),
            CompletionCommand.Create(),
            GuideCommand.Create(),
        };
        CommonOptions.AddTo(root);
        // Spellings of another system: completion would offer them, and here a slash begins a path.
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            foreach (var alias in help.Aliases.Where(alias => alias[0] == '/').ToArray())
                help.Aliases.Remove(alias);
        }

        root.Examples(
            "orchestrator serve",
            "orchestrator run sum_of_squares '{\"n\": 1000000}'",
            "orchestrator bench tasks --baseline");
        ExamplesHelp.Install(root);
        return root;
    }
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.CompilerServices;
using System.Text;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Cli;

/// <summary>The verbs of the command, and the dispatch of arguments to them.</summary>
internal static class CommandLine
{
    private static readonly Lazy<RootCommand> Tree = new(CreateRoot);

    /// <summary>The tree of all verbs.</summary>
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
        try
        {
            if (parsed is { Errors: [], CommandResult.Command.Name: ServeCommand.Name })
                parsed = OptionSources.Complete(parsed);
        }
        catch (UsageException exception)
        {
            await error.WriteLineAsync($"orchestrator: {exception.Message}");
            return ExitCode.Usage;
        }

        // Without a verb, show the help.
        if (parsed.Action is ParseErrorAction && args.Length > 0)
            return await ExplainAsync(parsed, error);
        var configuration = new InvocationConfiguration { ProcessTerminationTimeout = null, Output = output, Error = error };
        // The coordinator handles its own shutdown: it drains first, and a second signal stops it at once.
        var code = parsed.CommandResult.Command.Name == ServeCommand.Name
            ? await parsed.InvokeAsync(configuration)
            // A command that runs under a lock or a permit gets the signal, too, and must not lose its hold while it shuts down.
            : await Interruption.RunAsync(
                token => parsed.InvokeAsync(configuration, token), ChildCommand.IsRunBy(parsed.CommandResult)
                    ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(2));
        // The parser reports a wrong command line as 1, which is this command's code for a failed task.
        return parsed.Action is ParseErrorAction ? ExitCode.Usage : code;
    }

    /// <summary>Prints one line: the error and the likely intended word. A page of help would push it off the screen.</summary>
    private static async Task<int> ExplainAsync(ParseResult parsed, TextWriter error)
    {
        var verb = string.Join(
            ' ', new CommandContext(parsed).Words.Where(word => word != parsed.RootCommandResult.Command.Name).Append("--help"));
        await error.WriteLineAsync($"orchestrator: {WhatIsWrong(parsed)} See 'orchestrator {verb}'.");
        return ExitCode.Usage;
    }

    private static string WhatIsWrong(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        // The parser treats a mistyped option as an argument if another argument is allowed.
        var mistyped = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).FirstOrDefault(
            token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal));
        if ((mistyped?.Value ?? (parsed.UnmatchedTokens is [var first, ..] ? first : null)) is not { } word)
            return ParseErrors.Text(parsed.Errors);
        // Report only the first error; it causes the others.
        if (word.StartsWith('-'))
            return $"There is no option '{word}' here.{Meant(word, OptionsOf(parsed.CommandResult))}";
        return command.Subcommands.Count > 0
            ? $"There is no command '{word}' " +
                $"here.{Meant(word, command.Subcommands.Where(verb => !verb.Hidden).SelectMany(verb => verb.Aliases.Append(verb.Name)))}"
            : $"'{word}' is one argument too many.";
    }

    private static string Meant(string word, IEnumerable<string> names) =>
        NameSuggestions.Of(word, names.Distinct()) is { Count: > 0 } near
            ? $" Did you mean {string.Join(" or ", near.Select(name => $"'{name}'"))}?" : "";

    private static IEnumerable<string> OptionsOf(SymbolResult? result)
    {
        for (; result is not null; result = result.Parent)
        {
            if (result is not CommandResult { Command: var command })
                continue;
            foreach (var option in command.Options.Where(
                option => !option.Hidden && (option.Recursive || result.Parent is null || command.Subcommands.Count == 0)))
                yield return option.Name;
        }
    }

    private static RootCommand CreateRoot()
    {
        var root = new RootCommand("Runs CPU-bound and IO-bound tasks in worker processes.")
        {
            ServeCommand.Create(),
            RunCommand.Create(),
            SubmitCommand.Create(),
            WaitCommand.Create(),
            ResultCommand.Create(),
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
            PageCommand.Create(),
            ConfigCommand.Create(),
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
        // Windows spellings: completion would offer them, and here a slash begins a path.
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

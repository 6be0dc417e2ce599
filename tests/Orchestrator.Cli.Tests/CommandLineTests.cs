using System.CommandLine;
using System.Text.RegularExpressions;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Tests;

/// <summary>The command's exit codes and its arguments.</summary>
public sealed partial class CommandLineTests
{
    public static TheoryData<string> Verbs => [.. VerbTree.All().Select(verb => verb.Words)];

    // Where an argument takes any number of values, a mistyped option is one of them.
    public static TheoryData<string> BoundedVerbs => [.. VerbTree.Leaves
        .Where(verb => verb.Command.Arguments.All(argument => argument.Arity.MaximumNumberOfValues == 1)).Select(verb => verb.Words)];

    [Theory]
    [InlineData(ExitCode.Ok, "--help")]
    [InlineData(ExitCode.Ok, "bench", "tasks", "--help")]
    [InlineData(ExitCode.Usage)]
    [InlineData(ExitCode.Usage, "no-such-verb")]
    [InlineData(ExitCode.Usage, "run")]
    [InlineData(ExitCode.Usage, "queue", "create", "jobs", "--order", "backwards")]
    [InlineData(ExitCode.Usage, "run", "echo", "{not json")]
    [InlineData(ExitCode.Usage, "run", "echo", "--total-timeout", "soon")]
    [InlineData(ExitCode.Usage, "bench", "tasks", "--baseline", "--rate", "10")]
    [InlineData(ExitCode.Ok, "bench", "queue", "--help")]
    [InlineData(ExitCode.Usage, "bench", "queue", "--min-ratio", "1")]
    [InlineData(ExitCode.Usage, "bench", "queue", "--rounds", "0")]
    [InlineData(ExitCode.Usage, "bench", "queue", "--size", "7")]
    [InlineData(ExitCode.Usage, "bench", "state", "--max-bytes", "1KB")]
    [InlineData(ExitCode.Usage, "bench", "compare", "--task-time", "soon")]
    [InlineData(ExitCode.Usage, "bench", "compare", "--workload", "gpu")]
    [InlineData(ExitCode.Usage, "bench", "compare", "--workload", "io", "--task-time", "10us")]
    [InlineData(ExitCode.Usage, "bench", "compare", "--report", "/nonexistent/compare.html")]
    [InlineData(ExitCode.Ok, "bench", "scale", "--help")]
    [InlineData(ExitCode.Usage, "bench", "scale", "--only", "tasks,planets")]
    [InlineData(ExitCode.Usage, "bench", "scale", "--only", "objects", "--to", "999")]
    [InlineData(ExitCode.Usage, "bench", "scale", "--duration", "0s")]
    [InlineData(ExitCode.Usage, "bench", "scale", "--report", "/nonexistent/scale.html")]
    [InlineData(ExitCode.Usage, "load")]
    [InlineData(ExitCode.Usage, "load", "/nonexistent.json")]
    [InlineData(ExitCode.CannotConnect, "status", "--endpoint", "http://127.0.0.1:1")]
    [InlineData(ExitCode.CannotConnect, "run", "echo", "1", "--data-dir", "/nonexistent")]
    public async Task Exit_codes(int expected, params string[] args) => Assert.Equal(expected, await CommandLine.RunAsync(args));

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task The_help_of_each_verb_names_its_options_and_arguments(string words)
    {
        var command = VerbTree.All().Single(verb => verb.Words == words).Command;
        var (code, output, error) = await RunAsync([.. words.Split(' '), "--help"]);
        Assert.Equal((ExitCode.Ok, ""), (code, error));
        Assert.Contains(command.Description!.Split(' ')[0], output, StringComparison.Ordinal);
        foreach (var option in command.Options.Where(option => !option.Hidden))
            Assert.Contains(option.Name, output, StringComparison.Ordinal);
        foreach (var argument in command.Arguments.Where(argument => !argument.Hidden))
            Assert.Contains($"<{argument.Name}>", output, StringComparison.Ordinal);
    }

    /// <summary>What the help calls the default of an option is accepted as its value, and is the same value.</summary>
    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task The_help_shows_a_default_as_one_would_type_it(string words)
    {
        var command = VerbTree.All().Single(verb => verb.Words == words).Command;
        var (_, output, _) = await RunAsync([.. words.Split(' '), "--help"]);
        var help = Spaces().Replace(output, " ");
        // A switch is off, which no help says.
        foreach (var option in command.Options.Where(
            option => option is { Hidden: false, HasDefaultValue: true } && option.ValueType != typeof(bool)))
        {
            var shown = Regex.Match(help, $@"{Regex.Escape(option.Description!)} \[default: ([^\]]*)\]").Groups[1].Value;
            Assert.True(shown.Length is > 0 and < 16, $"{words} {option.Name} has the default '{shown}' in its help");
            var parsed = CommandLine.Root.Parse([.. words.Split(' '), option.Name, shown]);
            Assert.DoesNotContain(parsed.GetResult(option)!.Errors, _ => true);
            // Half of a machine's memory is shown rounded.
            if (option.Name != "--memory-budget")
                Assert.Equal(option.GetDefaultValue(), parsed.GetValue<object>(option.Name));
        }

        Assert.DoesNotContain("[default: ]", help, StringComparison.Ordinal);
    }

    /// <summary>Two letters exchanged in each option of each verb: one line, with the option that was meant, and exit code 2.</summary>
    [Theory]
    [MemberData(nameof(BoundedVerbs))]
    public async Task A_mistyped_option_is_told_with_the_one_that_was_meant(string words)
    {
        var command = VerbTree.All().Single(verb => verb.Words == words).Command;
        foreach (var option in command.Options.Where(IsLong))
        {
            var name = option.Name;
            var mistyped = $"{name[..3]}{name[4]}{name[3]}{name[5..]}";
            if (command.Options.Any(other => other.Name == mistyped))
                continue;
            string[] line = [.. VerbTree.Line(words), mistyped];
            // Before it runs, since some verbs would run for long.
            Assert.NotEmpty(CommandLine.Root.Parse(line).Errors);
            var (code, output, error) = await RunAsync(line);
            Assert.Equal((ExitCode.Usage, ""), (code, output));
            Assert.Contains($"There is no option '{mistyped}' here. Did you mean ", Assert.Single(error.TrimEnd('\n').Split('\n')),
                StringComparison.Ordinal);
            Assert.Contains($"'{name}'", error, StringComparison.Ordinal);
        }

        static bool IsLong(Option option) => !option.Hidden && option.Name.Length > 5 && option.Name[3] != option.Name[4];
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = await CommandLine.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}

using System.CommandLine;
using System.CommandLine.Parsing;
using Orchestrator.Cli.Common;
using Orchestrator.Core.Tasks;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Options;

/// <summary>Where the value of an option comes from; the later ones win.</summary>
internal enum OptionSource
{
    Default,
    File,
    Environment,
    Flag,
}

/// <summary>
/// Options of a long-running verb from three sources: flags, then environment variables (<c>ORCHESTRATOR_GRPC_PORT</c> for
/// <c>--grpc-port</c>), then the file of <c>--config</c>. What the last two give is added to the command line, so that every value is
/// parsed and checked in the same way.
/// </summary>
internal static class OptionSources
{
    private const string Prefix = "ORCHESTRATOR_";

    /// <summary>The file of options.</summary>
    public static readonly Option<string?> Config = new("--config")
    {
        Description = "A file of options, each on a line of its own, such as 'grpc-port = 7600'. Flags win over environment variables, " +
            "and these over the file.",
        HelpName = "FILE",
    };

    /// <summary>The environment variable of an option.</summary>
    public static string VariableOf(Option option) => Prefix + option.Name.TrimStart('-').Replace('-', '_').ToUpperInvariant();

    /// <summary>Completes a command line by what the environment and the file give.</summary>
    /// <param name="parsed">The command line as it was given.</param>
    /// <exception cref="UsageException">A value, a name or the file is wrong; the message names the source.</exception>
    public static ParseResult Complete(ParseResult parsed)
    {
        string[] added = [.. Find(parsed).SelectMany(item => item.Values.Select(value => $"{item.Option.Name}={value}"))];
        // Files of arguments have been read already.
        return added.Length == 0 ? parsed : parsed.RootCommandResult.Command.Parse(
            [.. parsed.Tokens.Select(token => token.Value), .. added], new ParserConfiguration { ResponseFileTokenReplacer = null });
    }

    /// <summary>The options of a verb, the source of each, and the values that environment or file give.</summary>
    /// <exception cref="UsageException">A value, a name or the file is wrong; the message names the source.</exception>
    public static IEnumerable<(Option Option, OptionSource Source, IReadOnlyList<string> Values)> Find(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var options = command.Options.Where(option => option is not System.CommandLine.Help.HelpOption)
            .Append(CommonOptions.DataDirectory).ToArray();
        var path = parsed.GetValue(Config) ?? VariableValue(Config);
        var file = path is null ? [] : OptionFile.Read(path, options);
        foreach (var option in options)
        {
            if (parsed.GetResult(option) is { Implicit: false })
            {
                yield return (option, OptionSource.Flag, []);
            }
            else if (VariableValue(option) is { } text && option != CommonOptions.DataDirectory)
            {
                var values = AllowsMany(option) ? text.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [text];
                Check(command, option, values, $"the environment variable {VariableOf(option)}");
                yield return (option, OptionSource.Environment, values);
            }
            else if (option == CommonOptions.DataDirectory && VariableValue(option) is not null)
            {
                // Read where the directory is needed, as by other programs.
                yield return (option, OptionSource.Environment, []);
            }
            else if (file.TryGetValue(option, out var lines))
            {
                Check(command, option, lines, path!);
                yield return (option, OptionSource.File, lines);
            }
            else
            {
                yield return (option, OptionSource.Default, []);
            }
        }
    }

    /// <summary>Whether an option may be given more than once.</summary>
    internal static bool AllowsMany(Option option) => option.Arity.MaximumNumberOfValues > 1;

    private static string? VariableValue(Option option) =>
        Environment.GetEnvironmentVariable(VariableOf(option)) is { Length: > 0 } value ? value : null;

    private static void Check(Command command, Option option, IReadOnlyList<string> values, string source)
    {
        if (option.ValueType == typeof(bool) && values.FirstOrDefault(value => !bool.TryParse(value, out _)) is { } other)
            throw new UsageException($"{source}: '{other}' is not true or false.");
        var errors = command.Parse(
            [.. values.Select(value => $"{option.Name}={value}")], new ParserConfiguration { ResponseFileTokenReplacer = null }).Errors;
        if (errors.Count == 0)
            return;
        // A cluster announces its services to every container in variables of this form.
        var hint = values[0].StartsWith("tcp://", StringComparison.Ordinal)
            ? " Kubernetes sets this variable for a service of that name; enableServiceLinks: false in the pod's spec prevents that." : "";
        throw new UsageException(
            $"{source}: {ParseErrors.Text(errors)}{hint}");
    }
}

/// <summary>A file of options: <c>name = value</c> on each line, the names without dashes; <c>#</c> begins a comment.</summary>
internal static class OptionFile
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="UsageException">The file cannot be read, or a line is wrong; the message names the line.</exception>
    public static Dictionary<Option, List<string>> Read(string path, IReadOnlyList<Option> options)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--config {path} cannot be read: {exception.Message}");
        }

        var values = new Dictionary<Option, List<string>>();
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var name = (equals < 0 ? line : line[..equals]).Trim().TrimStart('-');
            if (equals < 0)
                throw new UsageException($"{path}, line {i + 1}: '{VisibleText.Line(line)}' is not of the form 'name = value'.");
            if (options.FirstOrDefault(option => option.Name == "--" + name && option != OptionSources.Config) is not { } option)
            {
                var near = NameSuggestions.Of(name, options.Select(option => option.Name[2..]));
                throw new UsageException($"{path}, line {i + 1}: there is no option '{VisibleText.Line(name)}'." +
                    (near.Count > 0 ? $" Did you mean {string.Join(" or ", near.Select(item => $"'{item}'"))}?" : ""));
            }

            if (!values.TryGetValue(option, out var given))
                values.Add(option, given = []);
            else if (!OptionSources.AllowsMany(option))
                throw new UsageException($"{path}, line {i + 1}: '{name}' is given twice.");
            given.Add(line[(equals + 1)..].Trim());
        }

        return values;
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Client;
using Orchestrator.Client.Objects;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary>Shared parts of the verbs of shared objects.</summary>
internal static class ObjectCommands
{
    public static readonly Argument<string> Name = new("NAME") { Description = "The object's name: letters, digits and . _ / -" };

    public static readonly Option<OptionTime?> Timeout =
        DurationOption.Option(
            "--timeout", $"How long to wait; without limit by default. 0s does not wait. A timeout is exit code {ExitCode.TimedOut}.");

    /// <summary>For verbs that create an object with its first change.</summary>
    public static readonly Option<string?> Durability = DurabilityOption.CreateForFirstChange();

    /// <summary>For verbs that hold an object while another command runs.</summary>
    public static readonly Option<OptionTime?> Ttl = DurationOption.Option(
        "--ttl", "How long the hold outlives this command's connection, also if the command is killed.", TimeSpan.FromSeconds(30));

    /// <summary>What an object survives that this command creates.</summary>
    public static DurabilityLevel ReadDurability(CommandContext context) => DurabilityOption.Parse(context.Get(Durability));

    /// <summary>Runs a verb with a client.</summary>
    public static Command WithClient(this Command command, Func<CommandContext, OrchestratorClient, CancellationToken, Task<int>> run) =>
        command.HandledBy(async (context, token) =>
    {
        await using var client = await context.ConnectAsync(token);
        return await run(context, client, token);
    });

    /// <summary>Runs a verb in its own session, which ends with the command and releases its holds.</summary>
    /// <param name="command">The command.</param>
    /// <param name="run">The action.</param>
    /// <param name="ttl">The option for how long the session outlives its connection, if there is one.</param>
    public static Command InSession(
        this Command command, Func<CommandContext, CoordinationSession, CancellationToken, Task<int>> run,
        Option<OptionTime?>? ttl = null) =>
            command.WithClient(async (context, client, token) =>
    {
        var name = $"{string.Join(' ', context.Words)} (pid {Environment.ProcessId})";
        await using var session = await client.OpenSessionAsync(name, ttl is null ? null : context.Get(ttl), token);
        return await run(context, session, token);
    });

    /// <summary>The list verb for objects of one kind that are held or waited for.</summary>
    public static Command ListOf(string kind, string column) =>
        new Command("list", $"Lists the {kind} that are in use: who holds them, and who waits.")
            .Examples($"orchestrator {column} list")
            .WithClient(async (context, client, token) =>
            {
                var prefix = kind.Replace(' ', '_') + "/";
                var objects = (await client.Contract.ListSyncAsync(token))
                    .Where(item => item.Object.StartsWith(prefix, StringComparison.Ordinal))
                    .ToList();
                if (context.Terminal.IsJson)
                {
                    context.WriteJson(objects);
                    return ExitCode.Ok;
                }

                context.Terminal.WriteTable(
                    [new(column), new("state"), new("held by"), new("waiting", true)],
                    objects.Select(item => (string[])
                    [
                        item.Object[prefix.Length..],
                        item.Description,
                        string.Join(
                            ", ", item.Holders.Select(holder => holder.DisplayName.Length > 0 ? holder.DisplayName : holder.SessionId)),
                        $"{item.Waiters.Count}",
                    ]));
                return ExitCode.Ok;
            });

    /// <summary>The list verb for dicts, lists, values or arrays.</summary>
    public static Command ListOf(StateKind kind, string column, string verb = "list") =>
        new Command(verb, $"Lists every {column}.")
            .Examples($"orchestrator {column} {verb}")
            .WithClient(async (context, client, token) =>
            {
                var objects = await client.Contract.ListStateAsync(kind, token);
                if (context.Terminal.IsJson)
                {
                    context.WriteJson(objects);
                    return ExitCode.Ok;
                }

                context.Terminal.WriteTable(
                    [new(column), new("count", true), new("bytes", true), new("version", true)],
                    objects.Select(item => (string[])[item.Name, $"{item.Count}", $"{item.Bytes}", $"{item.Version}"]));
                return ExitCode.Ok;
            });

    /// <summary>The delete verb for a dict, list, value or array.</summary>
    public static Command DeleteOf(StateKind kind, string column) =>
        new Command("delete-all", $"Deletes the {column} itself with its contents.") { Name }
            .Examples($"orchestrator {column} delete-all NAME")
            .WithClient(async (context, client, token) =>
            {
                await client.Contract.DeleteStateAsync(kind, context.Get(Name)!, token);
                return ExitCode.Ok;
            });

    /// <summary>The wait timed out: prints a message and returns the exit code.</summary>
    public static int TimedOut(this CommandContext context, string what)
    {
        context.Terminal.Error($"orchestrator: {what} in time");
        return ExitCode.TimedOut;
    }

    /// <summary>The data has ended: prints a message and returns the exit code.</summary>
    public static int Ended(this CommandContext context, string what)
    {
        context.Terminal.Error($"orchestrator: {what}");
        return ExitCode.Ended;
    }

    /// <summary>Parses JSON; other input is text.</summary>
    /// <exception cref="JsonException">It is JSON with content that a payload cannot hold.</exception>
    public static Payload ToPayload(string text)
    {
        try
        {
            return Payloads.FromJson(text);
        }
        catch (JsonException exception) when (exception.LineNumber is not null)
        {
            return Payloads.FromText(text);
        }
    }

    /// <summary>Formats one line: text unchanged, everything else as JSON; with -o json, everything as JSON.</summary>
    public static void WriteValue(this CommandContext context, Payload value)
    {
        if (value.ContentCase == Payload.ContentOneofCase.Data)
            context.Terminal.Line(context.Terminal.IsJson ? $"\"{value.Data.ToBase64()}\"" : value.Data.ToBase64());
        else if (value.Json.KindCase == Google.Protobuf.WellKnownTypes.Value.KindOneofCase.StringValue && !context.Terminal.IsJson)
            context.Terminal.Line(value.Json.StringValue);
        else
            context.Terminal.Line(Payloads.ToJson(value));
    }

    public static Number ToNumber(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) ? new Number { Integer = integer }
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? new Number { Real = real }
        : throw new UsageException($"'{text}' is not a number");

    public static string Show(Number? number) => number?.NumberCase switch
    {
        Number.NumberOneofCase.Integer => number.Integer.ToString(CultureInfo.InvariantCulture),
        Number.NumberOneofCase.Real => number.Real.ToString("R", CultureInfo.InvariantCulture),
        _ => "0",
    };

    /// <summary>The arguments, or else the lines of standard input as they arrive.</summary>
    public static async IAsyncEnumerable<string> LinesAsync(string[]? arguments, [System.Runtime.CompilerServices.EnumeratorCancellation]
    CancellationToken token)
    {
        if (arguments is { Length: > 0 })
        {
            foreach (var argument in arguments)
                yield return argument;
            yield break;
        }

        // Console.In blocks the calling thread even in its async methods: Ctrl-C would have to wait for the next line.
        var input = new StreamReader(Console.OpenStandardInput(), Console.InputEncoding);
        while (await input.ReadLineAsync(token).AsTask().WaitAsync(token) is { } line)
            yield return line;
    }

    /// <summary>
    /// As <see cref="LinesAsync"/>, in batches: the lines that arrived while the last batch was being sent, or a fixed number of arguments.
    /// </summary>
    public static async IAsyncEnumerable<IReadOnlyList<string>> BatchesAsync(
        string[]? arguments, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        var lines = Channel.CreateBounded<string>(
            new BoundedChannelOptions(ProtocolConstants.MaxItemsPerMessage) { SingleReader = true, SingleWriter = true });
        var reading = ReadAsync();
        while (await lines.Reader.WaitToReadAsync(token))
        {
            var batch = new List<string>();
            while (batch.Count < ProtocolConstants.MaxItemsPerMessage && lines.Reader.TryRead(out var line))
                batch.Add(line);
            yield return batch;
        }

        await reading;

        async Task ReadAsync()
        {
            try
            {
                await foreach (var line in LinesAsync(arguments, token))
                    await lines.Writer.WriteAsync(line, token);
            }
            finally
            {
                lines.Writer.Complete();
            }
        }
    }
}

using System.CommandLine;
using System.Globalization;
using System.IO.Enumeration;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator events</c>, or <c>orchestrator tail</c></summary>
internal static class EventsCommand
{
    private static readonly Option<ulong> After = new("--after")
    {
        Description = "Begin after this sequence number.",
        HelpName = "SEQUENCE",
    };

    private static readonly Option<OptionTime?> Since = DurationOption.Option(
        "--since", "Begin with events within this time before now, such as 10m; 0s shows only new events.");

    private static readonly Option<string[]> Kinds = new("--kind")
    {
        Description = "Only events of this kind, such as worker.lost or 'worker.*'; may be given more than once.",
        HelpName = "KIND",
    };

    private static readonly Option<string[]> Subjects = new("--subject")
    {
        Description =
            "Only events of this subject, such as 'worker-1#2', or worker-1 for all its incarnations; may be given more than once.",
        HelpName = "NAME",
    };

    private static readonly Option<long?> Count = CountOption.Create("events to print before it ends; it follows without end by default");

    public static Command Create()
    {
        var command = new Command("events", "Follows events: restarts, drains, lost workers. Ctrl-C ends it. 'tail' is an alias.")
        {
            After, Since, Kinds, Subjects, Count,
        };
        command.Aliases.Add("tail");
        return command
            .Examples("orchestrator events", "orchestrator tail --kind 'worker.*' --since 10m",
                "orchestrator tail --subject worker-1 -o json | jq -r .message")
            .HandledBy(RunAsync);
    }

    /// <summary>Whether the filters select an event.</summary>
    internal static bool Matches(WatchEventsResponse happened, string[] kinds, string[] subjects, DateTimeOffset since) =>
        (kinds.Length == 0 || kinds.Any(kind => FileSystemName.MatchesSimpleExpression(kind, happened.Kind, ignoreCase: true)))
        && (subjects.Length == 0 || subjects.Any(subject => subject == happened.Subject || subject == happened.Subject.Split('#')[0]))
        && (happened.At is null || happened.At.ToDateTimeOffset() >= since);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var left = context.Get(Count) ?? long.MaxValue;
        if (left < 1)
            throw new UsageException("--count must be at least 1.");
        var since = context.Get(Since) is { Value: var before } ? TimeProvider.System.GetUtcNow() - before : DateTimeOffset.MinValue;
        await using var client = await context.ConnectAsync(token);
        await foreach (var happened in client.Contract.WatchEventsAsync(context.Get(After), token))
        {
            if (!Matches(happened, context.Get(Kinds) ?? [], context.Get(Subjects) ?? [], since))
                continue;
            if (context.Terminal.IsJson)
                context.WriteJsonLine(happened);
            else
                context.Terminal.Line(VisibleText.Line(LineOf(happened)));
            if (--left == 0)
                break;
        }

        return ExitCode.Ok;
    }

    private static string LineOf(WatchEventsResponse happened)
    {
        var time = happened.At?.ToDateTime().ToLocalTime();
        return string.Create(
            CultureInfo.InvariantCulture, $"{time:HH:mm:ss.fff}  {happened.Kind,-20} {happened.Subject,-12} {happened.Message}");
    }
}

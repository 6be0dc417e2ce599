using System.CommandLine;

namespace Orchestrator.Cli.Verbs;

/// <summary><c>orchestrator events</c></summary>
internal static class EventsVerb
{
    private static readonly Option<ulong> After = new("--after")
    {
        Description = "Begin after this sequence number.",
        HelpName = "SEQUENCE",
    };

    public static Command Create() =>
        new Command("events", "Follows what happens: restarts, drains, lost workers. Ctrl-C ends it.") { After }
            .Examples("orchestrator events", "orchestrator events -o json | jq -r .message")
            .Does(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                await foreach (var happened in client.WatchEventsAsync(context.Get(After), token))
                {
                    if (context.Terminal.IsJson)
                        context.WriteJsonLine(happened);
                    else
                        context.Terminal.Line(FormattableString.Invariant(
                            $"{happened.At?.ToDateTime().ToLocalTime():HH:mm:ss.fff}  {happened.Kind,-20} {happened.Subject,-12} {happened.Message}"));
                }

                return ExitCode.Ok;
            });
}

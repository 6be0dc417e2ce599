using System.CommandLine;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator event</c></summary>
internal static class EventCommand
{
    public static Command Create() => new("event", "Uses events, shared by every process that names them.")
    {
        new Command("set", "Sets the event, which wakes all waiters.") { ObjectCommands.Name }
            .Examples("orchestrator event set ready")
            .InSession(async (context, session, token) =>
            {
                await session.Event(context.Get(ObjectCommands.Name)!).SetAsync(token);
                return ExitCode.Ok;
            }),
        new Command("clear", "Clears the event.") { ObjectCommands.Name }
            .Examples("orchestrator event clear ready")
            .InSession(async (context, session, token) =>
            {
                await session.Event(context.Get(ObjectCommands.Name)!).ClearAsync(token);
                return ExitCode.Ok;
            }),
        new Command("wait", "Waits until the event is set.") { ObjectCommands.Name, ObjectCommands.Timeout }
            .Examples("orchestrator event wait ready --timeout 1m && ./start")
            .InSession(async (context, session, token) =>
            {
                var shared = session.Event(context.Get(ObjectCommands.Name)!);
                if (context.Get(ObjectCommands.Timeout) is { } limit)
                    return await shared.TryWaitAsync(limit, token)
                        ? ExitCode.Ok : context.TimedOut($"the event '{shared.Name}' was not set");
                await shared.WaitAsync(token);
                return ExitCode.Ok;
            }),
        ObjectCommands.ListOf("events", "event"),
    };
}

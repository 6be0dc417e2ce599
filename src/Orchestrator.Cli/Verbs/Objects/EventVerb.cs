using System.CommandLine;

namespace Orchestrator.Cli.Verbs;

/// <summary><c>orchestrator event</c></summary>
internal static class EventVerb
{
    public static Command Create() => new("event", "Uses events that every process shares which names them.")
    {
        new Command("set", "Sets the event, which wakes all who wait.") { ObjectVerbs.Name }
            .Examples("orchestrator event set ready")
            .InSession(async (context, session, token) =>
            {
                await session.Event(context.Get(ObjectVerbs.Name)!).SetAsync(token);
                return ExitCode.Ok;
            }),
        new Command("clear", "Clears the event.") { ObjectVerbs.Name }
            .Examples("orchestrator event clear ready")
            .InSession(async (context, session, token) =>
            {
                await session.Event(context.Get(ObjectVerbs.Name)!).ClearAsync(token);
                return ExitCode.Ok;
            }),
        new Command("wait", "Waits until the event is set.") { ObjectVerbs.Name, ObjectVerbs.Timeout }
            .Examples("orchestrator event wait ready --timeout 1m && ./start")
            .InSession(async (context, session, token) =>
            {
                var shared = session.Event(context.Get(ObjectVerbs.Name)!);
                if (context.Get(ObjectVerbs.Timeout) is { } limit)
                    return await shared.TryWaitAsync(limit, token) ? ExitCode.Ok : context.TimedOut($"the event '{shared.Name}' was not set");
                await shared.WaitAsync(token);
                return ExitCode.Ok;
            }),
        ObjectVerbs.ListOf("events", "event"),
    };
}

using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator pipe</c></summary>
internal static class PipeCommand
{
    private static readonly Argument<string> End = new("END") { Description = "Which end: A or B." };

    private static readonly Argument<string[]> Messages = new("MESSAGE")
    {
        Description =
        "JSON, or text; without any, each line of standard input is one.",
        Arity = ArgumentArity.ZeroOrMore
    };

    private static readonly Option<bool> Duplex =
        new("--duplex") { Description = "Both ends send and receive. Otherwise A receives what B sends." };

    private static readonly Option<bool> Direct = new("--direct")
    {
        Description = "The ends, of programs on this machine, exchange messages over a socket of their own; 'send' and 'receive' do not.",
    };

    private static readonly Option<long?> Count = CountOption.Create("messages to receive; all until end of file by default");

    public static Command Create()
    {
        End.AcceptOnlyFromAmong("A", "B", "a", "b");
        return new(
            "pipe", "Uses pipes between any two processes.") { CreateCreate(), CreateSend(), CreateReceive(), CreateClose(), CreateList() };
    }

    private static Command CreateCreate() =>
        new Command("create", "Creates a pipe; does nothing if the same one exists.") { ObjectCommands.Name, Duplex, Direct }
            .Examples("orchestrator pipe create p", "orchestrator pipe create p --duplex", "orchestrator pipe create p --direct")
            .WithClient(async (context, client, token) =>
            {
                var info = await client.Contract.CreatePipeAsync(
                    new PipeSpec
                    {
                        Name = context.Get(ObjectCommands.Name)!,
                        Duplex = context.Get(Duplex),
                        Direct = context.Get(Direct),
                    },
                    token);
                if (context.Terminal.IsJson)
                    context.WriteJson(info);
                return ExitCode.Ok;
            });

    private static Command CreateSend() =>
        new Command(
            "send", "Sends messages at an end, and closes it: the receiver at the other end then reads end of file.") { ObjectCommands.Name,
                End, Messages, ObjectCommands.Timeout }
            .Examples("orchestrator pipe send p B hello", "seq 100 | orchestrator pipe send p B")
            .InSession(async (context, session, token) =>
            {
                var end = EndOf(context, session);
                await foreach (var line in ObjectCommands.LinesAsync(context.Get(Messages), token))
                {
                    if (context.Get(ObjectCommands.Timeout) is not { } limit)
                        await end.SendAsync(ObjectCommands.ToPayload(line), token);
                    else if (!await end.TrySendAsync(ObjectCommands.ToPayload(line), limit, token))
                        return context.TimedOut("the pipe had no room");
                }

                return ExitCode.Ok;
            });

    private static Command CreateReceive() =>
        new Command(
            "receive",
            "Prints the messages that arrive at an end, one per line, until end of file, and closes it; with --count, exit code " +
            $"{ExitCode.Ended} if fewer arrive.")
        {
            ObjectCommands.Name, End, Count, ObjectCommands.Timeout,
        }
            .Examples("orchestrator pipe receive p A", "orchestrator pipe receive p A --count 1 --timeout 5s")
            .InSession(async (context, session, token) =>
            {
                var end = EndOf(context, session);
                var count = context.Get(Count) ?? 0;
                for (var i = 0L; count == 0 || i < count; i++)
                {
                    var (message, isEnd) = context.Get(ObjectCommands.Timeout) is { } limit
                        ? await end.TryReceiveAsync(limit, token)
                        : (await end.ReceiveAsync(token)) is { } received ? (received, false) : (null, true);
                    if (isEnd)
                        return count == 0 ? ExitCode.Ok : context.Ended("the other end is closed");
                    if (message is null)
                        return context.TimedOut("nothing came");
                    context.WriteValue(message);
                }

                return ExitCode.Ok;
            });

    private static Command CreateClose() =>
        new Command("close", "Closes an end, regardless of its owner. Closing both ends deletes the pipe.") { ObjectCommands.Name, End }
            .Examples("orchestrator pipe close p A")
            .WithClient(async (context, client, token) =>
            {
                await client.Contract.ClosePipeEndAsync(context.Get(ObjectCommands.Name)!, IsA(context) ? PipeEnd.A : PipeEnd.B, token);
                return ExitCode.Ok;
            });

    private static Command CreateList() =>
        new Command("list", "Lists every pipe.")
            .Examples("orchestrator pipe list")
            .WithClient(async (context, client, token) =>
            {
                var pipes = await client.Contract.ListPipesAsync(token);
                if (context.Terminal.IsJson)
                {
                    context.WriteJson(pipes);
                    return ExitCode.Ok;
                }

                context.Terminal.WriteTable(
                    [new("pipe"), new("direction"), new("kind"), new("A"), new("B"), new("to A", true), new("to B", true)],
                    pipes.Select(info => (string[])
                    [
                        info.Spec.Name,
                        info.Spec.Duplex ? "both" : "B to A",
                        info.Spec.Direct ? "direct" : "buffered",
                        StateOf(info.AClosed, info.AAttached),
                        StateOf(info.BClosed, info.BAttached),
                        $"{info.BufferedToA}",
                        $"{info.BufferedToB}",
                    ]));
                return ExitCode.Ok;
            });

    private static bool IsA(CommandContext context) => context.Get(End) is "A" or "a";

    private static SharedPipeEnd<Payload> EndOf(CommandContext context, CoordinationSession session)
    {
        var pipe = session.Pipe(context.Get(ObjectCommands.Name)!);
        return IsA(context) ? pipe.EndA : pipe.EndB;
    }

    private static string StateOf(bool closed, bool attached) => closed ? "closed" : attached ? "in use" : "free";
}

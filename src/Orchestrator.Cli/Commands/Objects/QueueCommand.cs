using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Cli.Output;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator queue</c></summary>
internal static class QueueCommand
{
    private static readonly Option<string> Order = new Option<string>("--order")
    {
        Description = "Which item is taken first: the oldest, the newest, or that of the smallest priority.",
        HelpName = "fifo|lifo|priority",
        DefaultValueFactory = _ => "fifo",
    }.AcceptOnlyFromAmong("fifo", "lifo", "priority");

    private static readonly Option<long> MaxItems =
        new("--max-items") { Description = "The maximum number of items; 0 takes the coordinator's default.", HelpName = "N" };

    private static readonly Option<int> MaxDeliveries =
        new("--max-deliveries") { Description = "The most deliveries; after them an item is dead. 0 sets no limit.", HelpName = "N" };

    private static readonly Option<string?> DeadLetters =
        new("--dead-letters") { Description = "The queue that receives dead items; otherwise they are dropped.", HelpName = "QUEUE" };

    private static readonly Option<string> DurabilityWord = DurabilityOption.Create();

    private static readonly Option<long> Priority =
        new("--priority") { Description = "The priority: in a priority queue a smaller one is taken first.", HelpName = "N" };

    private static readonly Option<long?> Count = CountOption.Create("items to get, one per line", 1);

    private static readonly Option<bool> Immediate = new("--immediate") { Description = "Also drop queued items." };

    private static readonly Argument<string[]> Items =
        new("ITEM") { Description = "JSON, or text; without any, each line of standard input is one.", Arity = ArgumentArity.ZeroOrMore };

    public static Command Create() => new("queue", "Uses queues, shared by every process that names them.")
    {
        CreateCreate(), CreatePut(), CreateGet(), CreateJoin(), CreateClose(), CreateShow(), CreateList(), CreateDelete(),
    };

    private static Command CreateCreate() =>
        new Command("create", "Creates a queue; does nothing if the same one exists.")
        {
            ObjectCommands.Name, Order, MaxItems, MaxDeliveries, DeadLetters, DurabilityWord,
        }
            .Examples("orchestrator queue create jobs",
                "orchestrator queue create jobs --order priority --max-deliveries 3 --dead-letters jobs-dead")
            .WithClient(async (context, client, token) =>
            {
                var info = await client.Contract.CreateQueueAsync(
                    new QueueSpec
                    {
                        Name = context.Get(ObjectCommands.Name)!,
                        Kind = Enum.Parse<QueueKind>(context.Get(Order)!, ignoreCase: true),
                        MaxItems = context.Get(MaxItems),
                        MaxDeliveries = context.Get(MaxDeliveries),
                        DeadLetterQueue = context.Get(DeadLetters) ?? "",
                        Durability = (Durability)DurabilityOption.Parse(context.Get(DurabilityWord)),
                    },
                    token);
                if (context.Terminal.IsJson)
                    context.WriteJson(info);
                return ExitCode.Ok;
            });

    private static Command CreatePut() =>
        new Command("put", "Puts items, waiting while the queue is full.") { ObjectCommands.Name, Items, Priority, ObjectCommands.Timeout }
            .Examples("orchestrator queue put jobs '{\"file\": \"a.txt\"}'", "ls | orchestrator queue put jobs")
            .InSession(async (context, session, token) =>
            {
                var queue = session.Queue(context.Get(ObjectCommands.Name)!);
                if (context.Get(ObjectCommands.Timeout) is not { } limit)
                {
                    await foreach (var lines in ObjectCommands.BatchesAsync(context.Get(Items), token))
                        await queue.PutAllAsync(lines.Select(ObjectCommands.ToPayload), context.Get(Priority), token);
                    return ExitCode.Ok;
                }

                await foreach (var line in ObjectCommands.LinesAsync(context.Get(Items), token))
                {
                    if (!await queue.TryPutAsync(ObjectCommands.ToPayload(line), limit, context.Get(Priority), token))
                        return context.TimedOut($"the queue '{queue.Name}' had no room");
                }

                return ExitCode.Ok;
            });

    private static Command CreateGet() =>
        new Command(
            "get", $"Takes items and prints them, one per line. Each counts as done once it is printed; exit code {ExitCode.Ended} if " +
                "the queue is shut down and empty.")
        {
            ObjectCommands.Name, Count, ObjectCommands.Timeout,
        }
            .Examples("orchestrator queue get jobs --timeout 5s", "orchestrator queue get jobs --count 100 | xargs -n 1 ./work")
            .InSession(async (context, session, token) =>
            {
                var queue = session.Queue(context.Get(ObjectCommands.Name)!);
                for (var i = 0L; i < context.Get(Count); i++)
                {
                    await using var item = context.Get(ObjectCommands.Timeout) is { } limit
                        ? await queue.TryLeaseAsync(limit, null, token) : await queue.LeaseAsync(null, token);
                    if (item is null)
                    {
                        return await IsShutDownAsync(context, queue.Name, token)
                            ? context.Ended($"the queue '{queue.Name}' is shut down and empty")
                            : context.TimedOut($"the queue '{queue.Name}' had no item");
                    }

                    context.WriteValue(item.Body);
                    await item.CompleteAsync(CancellationToken.None);
                }

                return ExitCode.Ok;
            });

    private static Command CreateJoin() =>
        new Command("join", "Waits until every item that was put is done.") { ObjectCommands.Name, ObjectCommands.Timeout }
            .Examples("orchestrator queue join jobs --timeout 10m")
            .InSession(async (context, session, token) =>
            {
                var queue = session.Queue(context.Get(ObjectCommands.Name)!);
                if (context.Get(ObjectCommands.Timeout) is not { } limit)
                {
                    await queue.JoinAsync(token);
                    return ExitCode.Ok;
                }

                return await queue.TryJoinAsync(limit, token) is > 0 and var left
                    ? context.TimedOut($"{left} items of the queue '{queue.Name}' were not done")
                    : ExitCode.Ok;
            });

    private static Command CreateClose() =>
        new Command(
            "shutdown", "Shuts a queue down: it takes no more items; queued items can still be taken.") { ObjectCommands.Name, Immediate }
            .Examples("orchestrator queue shutdown jobs", "orchestrator queue shutdown jobs --immediate")
            .WithClient(async (context, client, token) =>
            {
                await client.ShutDownQueueAsync(context.Get(ObjectCommands.Name)!, context.Get(Immediate), token);
                return ExitCode.Ok;
            });

    private static Command CreateShow() =>
        new Command("show", "Shows the state of a queue.") { ObjectCommands.Name }
            .Examples("orchestrator queue show jobs")
            .WithClient(async (context, client, token) =>
            {
                var info = await client.Contract.GetQueueAsync(context.Get(ObjectCommands.Name)!, token);
                if (context.Terminal.IsJson)
                    context.WriteJson(info);
                else
                    Write(context, [info]);
                return ExitCode.Ok;
            });

    private static Command CreateList() =>
        new Command("list", "Lists every queue.")
            .Examples("orchestrator queue list")
            .WithClient(async (context, client, token) =>
            {
                var queues = await client.Contract.ListQueuesAsync(token);
                if (context.Terminal.IsJson)
                    context.WriteJson(queues);
                else
                    Write(context, queues);
                return ExitCode.Ok;
            });

    private static Command CreateDelete() =>
        new Command("delete", "Deletes a queue with its items.") { ObjectCommands.Name }
            .Examples("orchestrator queue delete jobs")
            .WithClient(async (context, client, token) =>
            {
                await client.DeleteQueueAsync(context.Get(ObjectCommands.Name)!, token);
                return ExitCode.Ok;
            });

    private static async Task<bool> IsShutDownAsync(CommandContext context, string queue, CancellationToken token)
    {
        await using var client = await context.ConnectAsync(token);
        return (await client.Contract.GetQueueAsync(queue, token)).ShutDown;
    }

    private static void Write(CommandContext context, IEnumerable<QueueInfo> queues) => context.Terminal.WriteTable(
        [new("queue"), new("order"), new("ready", true), new("leased", true), new("unfinished", true), new("most", true),
            new("getters", true), new("putters", true), new("state")],
        queues.Select(info => (string[])
        [
            info.Spec.Name,
            info.Spec.Kind.ToString().ToLowerInvariant(),
            Format.Count(info.ReadyItems),
            Format.Count(info.LeasedItems),
            Format.Count(info.UnfinishedItems),
            Format.Count(info.Spec.MaxItems),
            Format.Count(info.WaitingGetters),
            Format.Count(info.WaitingPutters),
            info.ShutDown ? "shut down" : "open",
        ]));
}

using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator objects</c></summary>
internal static class ObjectsCommand
{
    private static readonly Option<string?> Owner = new("--owner")
    {
        Description = "Only objects created with this token or certificate; also revoked ones.",
        HelpName = "NAME",
    };

    private static readonly Option<bool> Delete =
        new("--delete") { Description = "Deletes the listed objects with their contents; needs --owner." };

    public static Command Create() =>
        new Command("objects",
            "Lists all queues, pipes, dicts, lists, values and arrays with their creators, and can delete the objects of a revoked token.")
        {
            Owner, Delete,
        }.Examples("orchestrator objects", "orchestrator objects --owner build-server --delete")
            .WithClient(async (context, client, token) =>
            {
                var owner = context.Get(Owner);
                if (context.Get(Delete) && owner is null)
                    throw new UsageException("--delete needs --owner NAME: whose objects to delete");
                var objects = (await FindAsync(client, token)).Where(item => owner is null || item.Owner == owner).ToArray();
                if (context.Get(Delete))
                {
                    foreach (var item in objects)
                        await item.DeleteAsync();
                }

                if (context.Terminal.IsJson)
                {
                    foreach (var item in objects)
                        context.Terminal.Line(new JsonObject
                        {
                            ["kind"] = item.Kind,
                            ["name"] = item.Name,
                            ["owner"] = item.Owner,
                            ["holds"] = item.Holds
                        }.ToJsonString());
                    return ExitCode.Ok;
                }

                context.Terminal.WriteTable(
                    [new("kind"), new("name"), new("made by"), new("holds")],
                    objects.Select(item => (string[])[item.Kind, item.Name, item.Owner.Length > 0 ? item.Owner : "the owner", item.Holds]));
                if (context.Get(Delete))
                    context.Terminal.Error($"{Format.Counted(objects.Length, "object")} deleted");
                return ExitCode.Ok;
            });

    private static async Task<IReadOnlyList<Found>> FindAsync(OrchestratorClient client, CancellationToken token)
    {
        var found = new List<Found>();
        foreach (var queue in await client.Contract.ListQueuesAsync(token))
        {
            found.Add(new Found(
                "queue", queue.Spec.Name, queue.Owner,
                $"{Format.Counted(queue.ReadyItems + queue.LeasedItems + queue.DelayedItems, "item")}, {queue.ReadyBytes:N0} bytes ready",
                () => client.DeleteQueueAsync(queue.Spec.Name, token)));
        }

        foreach (var pipe in await client.Contract.ListPipesAsync(token))
        {
            found.Add(
                new Found("pipe", pipe.Spec.Name, pipe.Owner, Format.Counted(pipe.BufferedToA + pipe.BufferedToB, "message"), async () =>
            {
                if (!pipe.AClosed)
                    await client.Contract.ClosePipeEndAsync(pipe.Spec.Name, PipeEnd.A, token);
                if (!pipe.BClosed)
                    await client.Contract.ClosePipeEndAsync(pipe.Spec.Name, PipeEnd.B, token);
            }));
        }

        foreach (var state in await client.Contract.ListStateAsync(cancellationToken: token))
        {
            found.Add(new Found(
                state.Kind.ToString().ToLowerInvariant(), state.Name, state.Owner, $"{state.Count:N0} in {state.Bytes:N0} bytes",
                () => client.Contract.DeleteStateAsync(state.Kind, state.Name, token)));
        }

        return found;
    }

    /// <summary>An object, and the action that deletes it.</summary>
    private sealed record Found(string Kind, string Name, string Owner, string Holds, Func<Task> DeleteAsync);
}

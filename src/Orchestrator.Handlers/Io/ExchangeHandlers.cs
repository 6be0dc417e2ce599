using System.Text.Json;
using Orchestrator.Client.Contract;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.Handlers.Common;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Io;

/// <summary>Handlers that pass data on through queues and pipes.</summary>
internal static class ExchangeHandlers
{
    private const int MaxProduced = 10_000_000;
    private const int MaxConsumed = 10_000;
    private const int BatchItems = 500;

    public static void Register(ITaskMap map)
    {
        var json = StockJson.Default.Options;
        map.MapTask(
            "produce", (ProduceInput input, TaskContext context) => Check.ObjectsAsync(
                () => ProduceAsync(input, context, context.CancellationToken)),
            new()
            {
                Json = json,
                Description = "Puts the numbers 0 to count - 1 into the queue, waiting while it is full; answers with how many.",
                Example = """{"queue": "jobs", "count": 100}""",
            });
        map.MapTask(
            "consume", (ConsumeInput input, TaskContext context) => Check.ObjectsAsync(
                () => ConsumeAsync(input, context, context.CancellationToken)),
            new()
            {
                Json = json,
                Description =
                    "Leases items until it has count of them or the queue is shut down and empty, and answers with them. Each is " +
                    "acknowledged once it has the next: a task that dies leaves its last one to others.",
                Example = """{"queue": "jobs", "count": 10}""",
            });
        map.MapTask(
            "pipe_echo", (PipeEchoInput input, TaskContext context) =>
                Check.ObjectsAsync(() => EchoAsync(input, context, context.CancellationToken)),
            new()
            {
                Json = json,
                Description =
                    "Sends back what it receives at its end of a duplex pipe, until the end of file; answers with how many messages that " +
                    "were.",
                Example = """{"pipe": "p", "end": "A"}""",
            });
    }

    private static async Task<int> ProduceAsync(ProduceInput input, TaskContext context, CancellationToken cancellationToken)
    {
        Check.Range("count", input.Count, 0, MaxProduced);
        var queue = context.Queue<Payload>(input.Queue);
        // Checked at once, so that a wrong name is reported even if nothing is put.
        await queue.TryJoinAsync(TimeSpan.Zero, cancellationToken);
        for (var done = 0; done < input.Count; done += BatchItems)
        {
            await queue.PutAllAsync(Enumerable.Range(done, Math.Min(BatchItems, input.Count - done))
                .Select(Payloads.FromNumber), cancellationToken: cancellationToken);
            context.ReportProgress(Math.Min(done + BatchItems, input.Count), input.Count);
        }

        return input.Count;
    }

    private static async Task<JsonElement[]> ConsumeAsync(ConsumeInput input, TaskContext context, CancellationToken cancellationToken)
    {
        Check.Range("count", input.Count, 1, MaxConsumed);
        var taken = new List<JsonElement>(input.Count);
        LeasedItem<Payload>? last = null;
        // No more prefetch than it will take: leased items are unavailable to other consumers meanwhile.
        await using var consumer = context.Queue<Payload>(input.Queue).OpenConsumer(prefetch: input.Count);
        await foreach (var item in consumer.ReadAllAsync(cancellationToken))
        {
            // Not all at the end: leased items count against the queue's bound, and its producers may wait for their room.
            if (last is not null)
                await last.CompleteAsync(cancellationToken);
            last = item;
            taken.Add(ToElement(item.Body));
            context.ReportProgress(taken.Count, input.Count);
            if (taken.Count == input.Count)
                break;
        }

        if (last is not null)
            await last.CompleteAsync(CancellationToken.None);
        return [.. taken];
    }

    private static async Task<long> EchoAsync(PipeEchoInput input, TaskContext context, CancellationToken cancellationToken)
    {
        var pipe = context.Pipe<Payload>(input.Pipe);
        await using var end = input.End.ToUpperInvariant() switch
        {
            "A" => pipe.EndA,
            "B" => pipe.EndB,
            _ => throw new InvalidInputException("end", $"must be \"A\" or \"B\", got \"{input.End}\""),
        };
        var count = 0L;
        await foreach (var message in end.ReceiveAllAsync(cancellationToken))
        {
            try
            {
                await end.SendAsync(message, cancellationToken);
            }
            catch (OrchestratorException exception) when (exception.Reason == FailureReason.BrokenPipe)
            {
                // The other end was closed with messages under way, so the replies have no receiver.
                return count;
            }

            count++;
        }

        return count;
    }

    private static JsonElement ToElement(Payload body) => body.ContentCase == Payload.ContentOneofCase.Data
        ? JsonSerializer.SerializeToElement(body.Data.ToBase64(), StockJson.Default.String)
        : JsonElement.Parse(Payloads.ToJson(body));
}

using Grpc.Core;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>
/// The memory cost of an idle object: creates many, and reads the coordinator's resident memory before and after. It first creates and
/// removes a tenth as many, so that code and buffers that serve any number do not count.
/// </summary>
/// <param name="Kind">The kind of object, in the plural.</param>
/// <param name="Make">Creates the object of this name.</param>
/// <param name="Remove">Removes the object of this name; null if the end of the session does.</param>
internal sealed record IdleObjects(
    string Kind, Func<ObjectBenchRun, string, CoordinationSession, Task> Make, Func<ObjectBenchRun, string, Task>? Remove)
{
    // The number of concurrent calls or operations.
    private const int AtOnce = 64;

    public static readonly IdleObjects Queues = new(
        "queues",
        (run, name, _) => run.Client.Contract.CreateQueueAsync(new QueueSpec { Name = name, Kind = QueueKind.Fifo }),
        async (run, name) => await run.Queues.DeleteQueueAsync(new DeleteQueueRequest { Queue = name }));

    /// <summary>Held locks: a free one costs nothing, since it is removed.</summary>
    public static readonly IdleObjects Locks = new("held locks", (_, name, session) => session.Lock(name).AcquireAsync(), null);

    public static readonly IdleObjects Values = new(
        "values",
        (_, name, session) => session.Value(name).SetAsync(1),
        async (run, name) => await run.State.DeleteStateAsync(new DeleteStateRequest { Kind = StateKind.Value, Name = name }));

    public static readonly IdleObjects Pipes = new(
        "pipes",
        (run, name, _) => run.Client.Contract.CreatePipeAsync(new PipeSpec { Name = name, Duplex = true }),
        async (run, name) =>
        {
            await run.Pipes.ClosePipeEndAsync(new ClosePipeEndRequest { Pipe = name, End = PipeEnd.A });
            await run.Pipes.ClosePipeEndAsync(new ClosePipeEndRequest { Pipe = name, End = PipeEnd.B });
        });

    public async Task<int> RunAsync(
        int count, double? maxBytes, bool json, OrchestratorClient client, Terminal terminal, CancellationToken token)
    {
        try
        {
            await using var run = new ObjectBenchRun(new ObjectBenchSettings
            {
                Size = 64,
                InFlight = AtOnce,
                Rounds = 1,
                Plan = new(TimeSpan.Zero, 0),
                Baseline = false,
                Only = [],
                Json = json
            }, client, token);
            terminal.Note($"warming up with {Format.Count(Math.Max(1, count / 10))} {Kind} …");
            await MakeAsync(run, "warm", Math.Max(1, count / 10), static _ => Task.CompletedTask, token);
            var before = await MemoryAsync(client, token);
            var after = before;
            terminal.Note($"making {Format.Count(count)} {Kind} …");
            await MakeAsync(run, "idle", count, async cancel => after = await MemoryAsync(client, cancel), token);
            var each = Math.Max(0, (double)after - before) / count;
            if (json)
                terminal.WriteJson(new { kind = Kind, count, rss_before_bytes = before, rss_after_bytes = after, bytes_each = each });
            else
                terminal.Line(
                    $"{Format.Count(count)} {Kind}: the coordinator grew from {Format.Bytes(before)} to {Format.Bytes(after)}, " +
                    $"{Format.Number(each)} B each");
            if (!(each > maxBytes))
                return ExitCode.Ok;
            terminal.Error($"threshold missed: {Format.Number(each)} B each is above {Format.Number(maxBytes.Value)}");
            return ExitCode.ThresholdMissed;
        }
        catch (RpcException exception)
        {
            throw client.Errors.Map(exception);
        }
    }

    private static async Task<ulong> MemoryAsync(OrchestratorClient client, CancellationToken token) =>
        (await client.Contract.GetStatusAsync(token)).Coordinator.RssBytes;

    /// <summary>Creates the objects, lets the caller measure, and removes them again.</summary>
    private async Task MakeAsync(ObjectBenchRun run, string prefix, int count, Func<CancellationToken, Task> look, CancellationToken token)
    {
        var names = Enumerable.Range(0, count).Select(i => $"{run.NewName()}/{prefix}-{i}").ToArray();
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = token };
        await using var session = await run.Client.OpenSessionAsync("bench", cancellationToken: token);
        await Parallel.ForEachAsync(names, options, async (name, _) => await Make(run, name, session));
        await look(token);
        if (Remove is { } remove)
            await Parallel.ForEachAsync(names, options, async (name, _) => await remove(run, name));
    }
}

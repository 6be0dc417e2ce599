using System.Diagnostics;
using System.Threading.Channels;
using Grpc.Core;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client.Objects;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>
/// One Connect stream that is always full: every outcome sends the next operation, and outcomes that arrive together send theirs together.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="create">Creates the n-th operation, given the objects' name.</param>
internal sealed class PipelinedSession(ObjectBenchRun run, Func<string, ulong, Operation> create) : ILoadShape
{
    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var name = run.NewName();
        var slots = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)run.Settings.InFlight * 2);
        var started = new long[slots];
        var latency = new LatencyRecorder();
        string? error = null;
        long failed = 0, messages = 0;
        using var call = run.Sessions.Connect(cancellationToken: token);
        await call.RequestStream.WriteAsync(new ConnectRequest { Create = new CreateSessionRequest { DisplayName = "bench" } }, token);
        await call.ResponseStream.MoveNext(token);
        var sends = Channel.CreateUnbounded<ulong>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        var budget = plan.Start();
        var begin = Stopwatch.GetTimestamp();
        var last = begin;
        // Ids begin at 1: zero means none.
        ulong next = 1;
        for (; next <= (ulong)run.Settings.InFlight && budget.TryTake(); next++)
            sends.Writer.TryWrite(next);
        var open = next - 1;
        var writing = WriteAsync(call.RequestStream, sends.Reader, name, started, token);
        while (open > 0 && await call.ResponseStream.MoveNext(token))
        {
            last = Stopwatch.GetTimestamp();
            messages++;
            foreach (var outcome in call.ResponseStream.Current.Outcomes)
            {
                latency.Record(started[outcome.OperationId & (ulong)(slots - 1)], last);
                if (outcome.Error is { } wrong)
                {
                    failed++;
                    error ??= wrong.Message;
                }

                if (budget.TryTake())
                    sends.Writer.TryWrite(next++);
                else
                    open--;
            }
        }

        sends.Writer.Complete();
        await writing;
        await call.RequestStream.CompleteAsync();
        while (await call.ResponseStream.MoveNext(token))
        {
        }

        return new RoundResult(
            latency, Stopwatch.GetElapsedTime(begin, last), failed, latency.Count / (double)Math.Max(1, messages), FirstError: error);
    }

    private async Task WriteAsync(
        IClientStreamWriter<ConnectRequest> stream, ChannelReader<ulong> sends, string name, long[] started, CancellationToken token)
    {
        while (await sends.WaitToReadAsync(token))
        {
            var message = new ConnectRequest();
            var now = Stopwatch.GetTimestamp();
            while (message.Operations.Count < ProtocolConstants.MaxItemsPerMessage && sends.TryRead(out var id))
            {
                var operation = create(name, id);
                operation.OperationId = id;
                started[id & (ulong)(started.Length - 1)] = now;
                message.Operations.Add(operation);
            }

            await stream.WriteAsync(message, token);
        }
    }
}

/// <summary>Callers of one session of the client SDK; each starts its next operation when the last one is done.</summary>
/// <param name="run">The run.</param>
/// <param name="callers">The number of callers.</param>
/// <param name="once">Runs one operation, given the objects' name.</param>
internal sealed class SessionCallers(ObjectBenchRun run, int callers, Func<CoordinationSession, string, CancellationToken, Task> once)
    : ILoadShape
{
    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var name = run.NewName();
        await using var session = await run.Client.OpenSessionAsync("bench", cancellationToken: token);
        var loop = new UnaryLoop(
            async (_, cancel) =>
            {
                await once(session, name, cancel);
                return null;
            },
            clients: 1,
            inFlight: callers);
        return await loop.RunAsync(plan, token);
    }
}

using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects.Partner;

/// <summary>
/// The hidden verb <c>bench-partner ENDPOINT DATA_DIR</c>, of which one may be empty: runs the jobs that arrive as lines of its standard
/// input, until it ends.
/// </summary>
internal static class PartnerJobs
{
    public const string Produce = "produce";
    public const string Send = "send";
    public const string Echo = "echo";
    public const string SendDirect = "send-direct";
    public const string EchoDirect = "echo-direct";
    public const string Lock = "lock";
    public const string Add = "add";
    public const string LockedAdd = "locked-add";
    public const string AwaitedLockedAdd = "awaited-locked-add";

    /// <summary>The entry that <see cref="LockedAdd"/> increments.</summary>
    public const string CounterKey = "counter";

    public static async Task<int> RunAsync(string[] args)
    {
        using var ignoring = BenchProcess.IgnoreInterrupts();
        // The token is in the environment.
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = args[0], DataDirectory = args[1] });
        await Console.Out.WriteLineAsync(BenchProcess.ReadyPrefix);
        while (await Console.In.ReadLineAsync() is { } line)
        {
            try
            {
                var words = line.Split(' ');
                var plan = new RoundPlan(
                    TimeSpan.FromSeconds(double.Parse(words[1], CultureInfo.InvariantCulture)), long.Parse(
                        words[2], CultureInfo.InvariantCulture));
                await Console.Out.WriteLineAsync((await DoAsync(client, words[0], plan, words[3], words[4])).ToString());
            }
            catch (Exception exception) when (exception is OrchestratorException or RpcException or InvalidOperationException)
            {
                await Console.Out.WriteLineAsync(PartnerReport.Failure(exception));
            }
        }

        return 0;
    }

    private static Task<PartnerReport> DoAsync(OrchestratorClient client, string job, RoundPlan plan, string name, string extra) =>
        job switch
        {
            Produce => ProduceAsync(client, plan, name, int.Parse(extra, CultureInfo.InvariantCulture)),
            Send => SendAsync(client, plan, name, int.Parse(extra, CultureInfo.InvariantCulture)),
            Echo => EchoAsync(client, name),
            SendDirect => SendDirectAsync(client, plan, name, int.Parse(extra, CultureInfo.InvariantCulture)),
            EchoDirect => EchoDirectAsync(client, name),
            Lock => InSessionAsync(client, plan, session => TakeAndReleaseAsync(session, name)),
            Add => InSessionAsync(client, plan, session => session.Value(name).AddAsync(1)),
            LockedAdd => InSessionAsync(client, plan, session => session.Dict(name).UpdateAsync(CounterKey, session.Lock(name), PlusOne)),
            AwaitedLockedAdd => InSessionAsync(client, plan, session => AddUnderLockAsync(session, name)),
            _ => throw new InvalidOperationException($"there is no job '{job}'"),
        };

    /// <summary>Fills a queue over a stream as fast as it accepts items, and shuts it down.</summary>
    private static async Task<PartnerReport> ProduceAsync(OrchestratorClient client, RoundPlan plan, string queue, int size)
    {
        var service = new QueueService.QueueServiceClient(client.Invoker);
        using var call = service.Produce();
        var accepted = 0L;
        var reading = Task.Run(async () =>
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
                accepted = call.ResponseStream.Current.AcceptedTotal;
        });
        var budget = plan.Start();
        var batch = ItemsPerMessage(size);
        var message = new ProduceRequest { Queue = queue };
        for (var more = true; more; message = new ProduceRequest())
        {
            while (message.Items.Count < batch && (more = budget.TryTake()))
                message.Items.Add(new QueueItem { Body = Stamped.Create(size) });
            if (message.Items.Count > 0)
                await call.RequestStream.WriteAsync(message);
        }

        await call.RequestStream.CompleteAsync();
        await reading;
        await client.ShutDownQueueAsync(queue);
        return new PartnerReport(accepted, new LatencyRecorder());
    }

    /// <summary>Sends at end B of a pipe as fast as it accepts messages, and closes it.</summary>
    private static async Task<PartnerReport> SendAsync(OrchestratorClient client, RoundPlan plan, string pipe, int size)
    {
        using var call = new PipeService.PipeServiceClient(client.Invoker).AttachPipe();
        var budget = plan.Start();
        var batch = ItemsPerMessage(size);
        // A large message is written before the next is created, so one buffer is enough.
        var buffer = batch == 1 ? new byte[Math.Max(size, Stamped.LeastBytes)] : null;
        var sent = 0L;
        var message = new AttachPipeRequest { Pipe = pipe, End = PipeEnd.B };
        for (var more = true; more; message = new AttachPipeRequest())
        {
            while (message.Messages.Count < batch && (more = budget.TryTake()))
                message.Messages.Add(buffer is null ? Stamped.Create(size) : Stamped.Over(buffer));
            sent += message.Messages.Count;
            await call.RequestStream.WriteAsync(message);
        }

        await call.RequestStream.CompleteAsync();
        await ReadToEndAsync(call.ResponseStream);
        return new PartnerReport(sent, new LatencyRecorder());
    }

    /// <summary>Echoes every message at end B, until the other end is closed.</summary>
    private static async Task<PartnerReport> EchoAsync(OrchestratorClient client, string pipe)
    {
        using var call = new PipeService.PipeServiceClient(client.Invoker).AttachPipe();
        await call.RequestStream.WriteAsync(new AttachPipeRequest { Pipe = pipe, End = PipeEnd.B });
        var echoed = 0L;
        while (await call.ResponseStream.MoveNext(CancellationToken.None) && !call.ResponseStream.Current.EndOfFile)
        {
            echoed += call.ResponseStream.Current.Messages.Count;
            await call.RequestStream.WriteAsync(new AttachPipeRequest { Messages = { call.ResponseStream.Current.Messages } });
        }

        await call.RequestStream.CompleteAsync();
        await ReadToEndAsync(call.ResponseStream);
        return new PartnerReport(echoed, new LatencyRecorder());
    }

    /// <summary>Sends at end B of a direct pipe as fast as it accepts messages, and closes it.</summary>
    private static async Task<PartnerReport> SendDirectAsync(OrchestratorClient client, RoundPlan plan, string pipe, int size)
    {
        await using var session = await client.OpenSessionAsync("bench partner");
        await using var end = await session.Pipe(pipe).EndB.AttachDirectAsync();
        var budget = plan.Start();
        // A message has left before the next is created.
        var buffer = new byte[Math.Max(size, Stamped.LeastBytes)];
        var sent = 0L;
        for (; budget.TryTake(); sent++)
            await end.SendAsync(Stamped.Over(buffer));
        return new PartnerReport(sent, new LatencyRecorder());
    }

    /// <summary>Echoes every message at end B of a direct pipe, until the other end is closed.</summary>
    private static async Task<PartnerReport> EchoDirectAsync(OrchestratorClient client, string pipe)
    {
        await using var session = await client.OpenSessionAsync("bench partner");
        await using var end = await session.Pipe(pipe).EndB.AttachDirectAsync();
        var echoed = 0L;
        for (; await end.ReceiveAsync() is { } message; echoed++)
            await end.SendAsync(message);
        return new PartnerReport(echoed, new LatencyRecorder());
    }

    private static async Task TakeAndReleaseAsync(CoordinationSession session, string name)
    {
        await using var hold = await session.Lock(name).AcquireAsync();
    }

    /// <summary>The equivalent of <c>with lock: d[key] += 1</c> with Python's manager: four round trips.</summary>
    private static async Task AddUnderLockAsync(CoordinationSession session, string name)
    {
        var hold = await session.Lock(name).AcquireAsync();
        var dict = session.Dict(name);
        await dict.SetAsync(CounterKey, PlusOne(await dict.GetAsync(CounterKey)));
        await hold.ReleaseAsync();
    }

    private static Payload PlusOne(Payload? before) =>
        Payloads.FromJson(((before?.Json.NumberValue ?? 0) + 1).ToString(CultureInfo.InvariantCulture));

    // Read to the end, so that the call ends in order instead of by reset.
    private static async Task ReadToEndAsync<T>(IAsyncStreamReader<T> reader)
    {
        while (await reader.MoveNext(CancellationToken.None))
        {
        }
    }

    private static async Task<PartnerReport> InSessionAsync(OrchestratorClient client, RoundPlan plan, Func<CoordinationSession, Task> once)
    {
        await using var session = await client.OpenSessionAsync("bench partner");
        var latency = new LatencyRecorder();
        var budget = plan.Start();
        while (budget.TryTake())
        {
            var started = Stopwatch.GetTimestamp();
            await once(session);
            latency.Record(started, Stopwatch.GetTimestamp());
        }

        return new PartnerReport(latency.Count, latency);
    }

    /// <summary>The batch that any of our writers would put into one message.</summary>
    private static int ItemsPerMessage(int size) =>
        Math.Clamp(Protocol.ProtocolConstants.TargetMessageBytes / Math.Max(size, 1), 1, Protocol.ProtocolConstants.MaxItemsPerMessage);
}

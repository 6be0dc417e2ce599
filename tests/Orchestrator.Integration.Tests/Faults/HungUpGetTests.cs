using Google.Protobuf;
using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>Part 5, 10: clients hang up while items arrive for their unleased gets, and messages for their receives.</summary>
public sealed class HungUpGetTests
{
    private const int Calls = 200;

    /// <summary>
    /// How many may be taken along all the same: the reset of a call that was already being answered comes too late, and the contract says
    /// so. It was one call in twenty when only calls that waited were given back.
    /// </summary>
    private const int MostTakenAlong = Calls / 100;

    /// <summary>
    /// Repeated with its id, a get receives the items that its first response took along, and nothing is lost or duplicated.
    /// </summary>
    [Fact]
    public async Task A_get_that_is_sent_again_by_its_id_gets_what_the_lost_answer_had()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = "q" } }, Soon);
        using var hangUp = new CancellationTokenSource();
        // Half of them hang up at the moment when the items arrive.
        var gets = Enumerable.Range(0, Calls)
            .Select(i => queues.GetAsync(
                Get(i), Soon.WithCancellationToken(i % 2 == 0 ? hangUp.Token : CancellationToken.None)).ResponseAsync).ToArray();
        await UntilAsync(async () => (await queues.GetQueueAsync(new GetQueueRequest { Queue = "q" }, Soon)).Queue.WaitingGetters == Calls);
        var put = queues.PutAsync(new PutRequest
        {
            Queue = "q",
            Items = { Enumerable.Range(0, Calls).Select(i => new QueueItem { Body = Text($"{i}") }) }
        }, Soon).ResponseAsync;
        await hangUp.CancelAsync();
        await put;
        var got = new List<string>();
        for (var i = 0; i < Calls; i++)
        {
            GetResponse answer;
            try
            {
                answer = await gets[i];
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.Cancelled)
            {
                answer = await queues.GetAsync(Get(i), Soon);
            }

            got.AddRange(answer.Items.Select(item => Read(item.Body)));
        }

        Assert.Equal(Enumerable.Range(0, Calls).Select(i => $"{i}").Order(), got.Order());
        Assert.Equal(0, (await queues.GetQueueAsync(new GetQueueRequest { Queue = "q" }, Soon)).Queue.ReadyItems);

        static GetRequest Get(int number) => new() { Queue = "q", RequestId = $"get-{number}" };
    }

    /// <summary>
    /// A call that was reset before its response was written takes no items, whether it waited or found items at once. Which of the two
    /// comes first is the server's scheduling, so this counts.
    /// </summary>
    [Theory]
    [InlineData("QueueService", "Get")]
    [InlineData("PipeService", "Receive")]
    public async Task A_call_that_is_reset_with_its_request_takes_nothing_along(string service, string method)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var (queues, pipes) =
            (new QueueService.QueueServiceClient(coordinator.Invoker), new PipeService.PipeServiceClient(coordinator.Invoker));
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = "x" } }, Soon);
        await queues.PutAsync(new PutRequest
        {
            Queue = "x",
            Items = { Enumerable.Range(0, Calls).Select(i => new QueueItem { Body = Text($"{i}") }) }
        }, Soon);
        await pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = "x", Duplex = true } }, Soon);
        await pipes.SendAsync(
            new SendRequest { Pipe = "x", End = PipeEnd.A, Messages = { Enumerable.Range(0, Calls).Select(i => Text($"{i}")) } }, Soon);
        IMessage request = method == "Get" ? new GetRequest { Queue = "x" } : new ReceiveRequest { Pipe = "x", End = PipeEnd.B };
        var message = request.ToByteArray();
        byte[] framed = [0, 0, 0, 0, (byte)message.Length, .. message];
        using var connection = new RawHttp2(coordinator.GrpcAddress).Begin();
        for (var stream = 1; stream < 2 * Calls; stream += 2)
        {
            connection.Call(
                stream, $"/orchestrator.v1.{service}/{method}", RawHttp2.EndHeaders, ("authorization", $"Bearer {coordinator.Token}"))
                .Frame(RawHttp2.Data, RawHttp2.EndStream, stream, framed).Frame(
                    RawHttp2.ResetStream, 0, stream, [0, 0, 0, RawHttp2.Cancel]);
        }

        Assert.True(await connection.SendAsync(TestContext.Current.CancellationToken));
        // Items that a call has taken and not yet returned arrive later.
        for (var left = Calls; left > 0;)
        {
            var some = method == "Get"
                ? (await queues.GetAsync(new GetRequest { Queue = "x", MaxItems = left, Timeout = Specs.Seconds(10) }, Soon)).Items.Count
                : (await pipes.ReceiveAsync(new ReceiveRequest
                {
                    Pipe = "x",
                    End = PipeEnd.B,
                    MaxMessages = left,
                    Timeout = Specs.Seconds(10)
                }, Soon)).Messages.Count;
            Assert.True(some > 0 || left <= MostTakenAlong, $"{left} of {Calls} were taken along");
            if (some == 0)
                break;
            left -= some;
        }
    }
}

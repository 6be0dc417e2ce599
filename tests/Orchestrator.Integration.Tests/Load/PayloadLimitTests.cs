using System.IO.Compression;
using Google.Protobuf;
using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>Part 8, 5: a payload of the limit passes in every way, and one byte more is refused by itself, over both transports.</summary>
public sealed class PayloadLimitTests(PayloadLimitTests.SmallLimit small) : IClassFixture<PayloadLimitTests.SmallLimit>
{
    private const int Limit = 64 * 1024;

    private static readonly Dictionary<string, Func<CallInvoker, Payload, Task>> Ways = new()
    {
        ["RunTask"] = async (calls, payload) =>
            await new TaskService.TaskServiceClient(calls).RunTaskAsync(new RunTaskRequest { Task = Echo(payload) }, Soon),
        ["SubmitTasks"] = async (calls, payload) =>
            await new TaskService.TaskServiceClient(calls).SubmitTasksAsync(new SubmitTasksRequest { Tasks = { Echo(payload) } }, Soon),
        ["Put"] = async (calls, payload) =>
        {
            var queues = new QueueService.QueueServiceClient(calls);
            var queue = Unique("queue");
            await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = queue } }, Soon);
            await queues.PutAsync(new PutRequest { Queue = queue, Items = { new QueueItem { Body = payload } } }, Soon);
            var got = await queues.GetAsync(new GetRequest { Queue = queue, MaxItems = 1 }, Soon);
            Assert.Equal(payload, Assert.Single(got.Items).Body);
        },
        ["Send"] = async (calls, payload) =>
        {
            var pipes = new PipeService.PipeServiceClient(calls);
            var pipe = Unique("pipe");
            await pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = pipe } }, Soon);
            await pipes.SendAsync(new SendRequest { Pipe = pipe, End = PipeEnd.B, Messages = { payload } }, Soon);
            var got = await pipes.ReceiveAsync(new ReceiveRequest { Pipe = pipe, End = PipeEnd.A }, Soon);
            Assert.Equal(payload, Assert.Single(got.Messages));
        },
        ["UpdateDict set"] = (calls, payload) => UpdateAsync(calls, new DictEdit { Key = "k", Set = payload }),
        ["UpdateDict set_default"] = (calls, payload) => UpdateAsync(calls, new DictEdit { Key = "k", SetDefault = payload }),
        ["UpdateList append"] = (calls, payload) => UpdateAsync(calls, new ListEdit { Append = payload }),
        ["UpdateList insert"] = (calls, payload) => UpdateAsync(calls, new ListEdit { Insert = new ListInsert { Value = payload } }),
        ["UpdateList extend"] = (calls, payload) => UpdateAsync(
            calls, new ListEdit { Extend = new ListExtend { Values = { Sized(10), payload } } }),
    };

    public static TheoryData<string, bool> Cases => new MatrixTheoryData<string, bool>(Ways.Keys, [false, true]);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_limit_passes_and_one_byte_more_is_refused_by_name(string way, bool isLocal)
    {
        var calls = small.Calls(isLocal);
        await Ways[way](calls, Sized(Limit));
        var error = await Assert.ThrowsAsync<RpcException>(() => Ways[way](calls, Sized(Limit + 1)));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        foreach (var part in (string[])["payload_bytes", "65,537", "65,536", "--max-payload"])
            Assert.Contains(part, error.Status.Detail, StringComparison.Ordinal);
        await Ways[way](calls, Sized(Limit));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_a_stream_of_tasks_the_others_go_on(bool isLocal)
    {
        using var call = new TaskService.TaskServiceClient(small.Calls(isLocal)).StreamTasks(Soon);
        var sizes = new[] { Limit, Limit + 1, 10, 2 * Limit, Limit };
        for (var i = 0; i < sizes.Length; i++)
        {
            var task = Echo(Sized(sizes[i]));
            task.Tag = (ulong)i;
            await call.RequestStream.WriteAsync(new StreamTasksRequest { Tasks = { task } });
        }

        await call.RequestStream.CompleteAsync();
        var results = new SortedDictionary<ulong, TaskResult>();
        while (await call.ResponseStream.MoveNext(default))
        {
            foreach (var result in call.ResponseStream.Current.Results)
                results[result.Tag] = result;
        }

        Assert.Equal(sizes.Length, results.Count);
        foreach (var (tag, result) in results)
        {
            if (sizes[tag] > Limit)
                Assert.Equal(ErrorReason.LimitExceeded, result.Error.Reason);
            else
                Assert.Equal(sizes[tag], result.Output.CalculateSize());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task On_a_session_s_stream_the_other_operations_go_on(bool isLocal)
    {
        using var call = new SessionService.SessionServiceClient(small.Calls(isLocal)).Connect(Soon);
        await call.RequestStream.WriteAsync(new ConnectRequest { Create = new CreateSessionRequest() });
        var (dict, list) = (Unique("dict"), Unique("list"));
        foreach (var (id, size) in (IEnumerable<(ulong, int)>)[(1, Limit), (2, Limit + 1), (3, Limit)])
        {
            await call.RequestStream.WriteAsync(new ConnectRequest
            {
                Operations =
                {
                    new Operation
                    {
                        OperationId = id,
                        UpdateDict = new UpdateDictRequest { Dict = dict, Edits = { new DictEdit { Key = "k", Set = Sized(size) } } },
                    },
                    new Operation
                    {
                        OperationId = id + 10,
                        UpdateList = new UpdateListRequest { List = list, Edits = { new ListEdit { Append = Sized(size) } } },
                    },
                },
            });
        }

        var outcomes = new Dictionary<ulong, Outcome>();
        while (outcomes.Count < 6 && await call.ResponseStream.MoveNext(default))
        {
            foreach (var outcome in call.ResponseStream.Current.Outcomes)
                outcomes[outcome.OperationId] = outcome;
        }

        foreach (var (id, outcome) in outcomes)
        {
            Assert.Equal(
                id % 10 == 2 ? ErrorReason.LimitExceeded : ErrorReason.Unspecified, outcome.Error?.Reason ?? ErrorReason.Unspecified);
        }
    }

    /// <summary>The worker has learned the limit: it stops as soon as its output passes it.</summary>
    [Fact]
    public async Task An_output_beyond_the_limit_fails_its_task_alone()
    {
        var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            await gzip.WriteAsync(new byte[Limit + 1]);
        var result = await small.Coordinator.RunAsync(Specs.Bytes("gunzip", packed.ToArray()));
        Assert.Equal(ErrorReason.LimitExceeded, result.Error.Reason);
        Assert.Contains("65536", result.Error.Message, StringComparison.Ordinal);
        Assert.All(await small.Coordinator.WorkersAsync(), worker => Assert.Equal(0, worker.Restarts));
    }

    /// <summary>The call ends with the reason, and the connection carries the next one.</summary>
    [Theory]
    [InlineData("RunTask", false)]
    [InlineData("RunTask", true)]
    [InlineData("StreamTasks", true)]
    public async Task A_message_beyond_its_limit_ends_its_call_only(string method, bool isLocal)
    {
        var tasks = new TaskService.TaskServiceClient(small.Calls(isLocal));
        var task = Echo(Sized(34 * 1024 * 1024));
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            if (method == "RunTask")
            {
                await tasks.RunTaskAsync(new RunTaskRequest { Task = task }, Soon);
                return;
            }

            using var call = tasks.StreamTasks(Soon);
            await call.RequestStream.WriteAsync(new StreamTasksRequest { Tasks = { task } });
            while (await call.ResponseStream.MoveNext(default))
            {
            }
        });
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Contains("message_bytes", error.Status.Detail, StringComparison.Ordinal);
        await tasks.RunTaskAsync(new RunTaskRequest { Task = Echo(Sized(10)) }, Soon);
    }

    private static TaskSpec Echo(Payload payload) => new() { Handler = "echo", Input = payload };

    /// <summary>A payload of so many bytes, with its envelope.</summary>
    private static Payload Sized(int bytes)
    {
        var payload = new Payload();
        for (var length = Math.Max(0, bytes - 6); payload.CalculateSize() < bytes; length++)
            payload.Data = UnsafeByteOperations.UnsafeWrap(new byte[length]);
        Assert.Equal(bytes, payload.CalculateSize());
        return payload;
    }

    private static async Task UpdateAsync(CallInvoker calls, DictEdit edit) =>
        await new StateService.StateServiceClient(calls).UpdateDictAsync(
            new UpdateDictRequest { Dict = Unique("dict"), Edits = { edit } }, Soon);

    private static async Task UpdateAsync(CallInvoker calls, ListEdit edit) =>
        await new StateService.StateServiceClient(calls).UpdateListAsync(
            new UpdateListRequest { List = Unique("list"), Edits = { edit } }, Soon);

    /// <summary>A coordinator whose limit makes the tests cheap.</summary>
    public sealed class SmallLimit : IAsyncLifetime
    {
        private CallInvoker _local = null!;

        public CoordinatorProcess Coordinator { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Coordinator = await CoordinatorProcess.StartAsync("--max-payload", "64KB", "--workers", "1");
            _local = Coordinator.ConnectLocally();
        }

        public CallInvoker Calls(bool isLocal) => isLocal ? _local : Coordinator.Invoker;

        public ValueTask DisposeAsync() => Coordinator.DisposeAsync();
    }
}

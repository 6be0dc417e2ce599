using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults.Delivery;

/// <summary>A call with an effect, and how to observe the effect.</summary>
/// <param name="Method">The method of the contract.</param>
/// <param name="Prepare">Creates the objects that it needs under this name.</param>
/// <param name="Send">Sends the call, the same request each time. Returns the part of the response that must be the same.</param>
/// <param name="Look">Reads the state afterwards.</param>
internal sealed record CallCase(
    string Method, Func<DeliveryWorld, string, Task> Prepare, Func<DeliveryWorld, string, Task<string>> Send,
    Func<DeliveryWorld, string, Task<string>> Look)
{
    private static readonly Func<DeliveryWorld, string, Task> s_nothing = (_, _) => Task.CompletedTask;

    /// <summary>Calls that a <c>request_id</c> makes safe to repeat: the response is that of the first.</summary>
    public static IReadOnlyList<CallCase> WithRequestId { get; } =
    [
        // The request of an operation is that of the unary call.
        .. OperationCase.All.Select(UnaryCalls.ToCase),
        new("QueueService/ShutDownQueue", (world, name) => world.QueueAsync(name), async (world, name) =>
            $"{await world.Queues.ShutDownQueueAsync(
                new ShutDownQueueRequest { Queue = name, Immediate = true, RequestId = name }, DeliveryWorld.Soon)}", LookAtQueueAsync),
        new("SyncService/WaitLatch", s_nothing, async (world, name) =>
            $"{await world.Sync.WaitLatchAsync(new WaitLatchRequest { Latch = name, Count = 2, Timeout = Specs.Seconds(0.05),
                RequestId = name }, DeliveryWorld.Soon)}", LookAtSyncAsync),
        new("SyncService/ControlBarrier", async (world, name) => await world.Coordinator.Sync.WaitBarrierAsync(
            new WaitBarrierRequest { Barrier = name, Parties = 1 }, DeliveryWorld.Soon), async (world, name) =>
            $"{await world.Sync.ControlBarrierAsync(new ControlBarrierRequest { Barrier = name, Action = BarrierAction.Reset,
                RequestId = name }, DeliveryWorld.Soon)}", LookAtSyncAsync),
        new("AdminService/RecycleWorkers", async (world, _) => world.Incarnations = await world.LookAtIncarnationsAsync(),
            async (world, name) =>
            $"{await world.Admin.RecycleWorkersAsync(new RecycleWorkersRequest { RequestId = name }, DeliveryWorld.Soon)}",
            // Replaced once, however often it was sent.
            async (world, _) => $"{await world.LookAtIncarnationsAsync() - world.Incarnations} new"),
        new("TaskService/RunTask", s_nothing, async (world, name) =>
            Text((await world.Tasks.RunTaskAsync(new RunTaskRequest { Task = Increment(name, "a") }, DeliveryWorld.Soon)).Result, "task"),
            LookAtDictAsync),
        new("TaskService/SubmitTasks", s_nothing, async (world, name) =>
        {
            var ids = (await world.Tasks.SubmitTasksAsync(
                new SubmitTasksRequest { Tasks = { Increment(name, "a"), Increment(name, "b") } }, DeliveryWorld.Soon)).TaskIds;
            return string.Join("; ", (await world.Coordinator.WaitAsync(ids)).Select(result => Text(result, "task")));
        }, LookAtDictAsync),
        new("QueueService/Put", (world, name) => world.QueueAsync(name), async (world, name) =>
            $"{await world.Queues.PutAsync(new PutRequest { Queue = name, Items = { DeliveryWorld.Item("3") }, RequestId = name },
                DeliveryWorld.Soon)}", LookAtQueueAsync),
        new("QueueService/MarkDone", async (world, name) =>
        {
            await world.QueueAsync(name);
            await world.SureQueues.GetAsync(new GetRequest { Queue = name, MaxItems = 2 }, DeliveryWorld.Soon);
        }, async (world, name) => $"{await world.Queues.MarkDoneAsync(
            new MarkDoneRequest { Queue = name, RequestId = name }, DeliveryWorld.Soon)}", LookAtQueueAsync),
        new("StateService/UpdateDict", s_nothing, async (world, name) => Text(await world.State.UpdateDictAsync(
            new UpdateDictRequest { Dict = name, Edits = { new DictEdit { Key = "a", Add = 1 } }, RequestId = name }, DeliveryWorld.Soon)),
            LookAtDictAsync),
        new("StateService/UpdateList", s_nothing, async (world, name) => Text(await world.State.UpdateListAsync(
            new UpdateListRequest { List = name, Edits = { new ListEdit { Append = DeliveryWorld.Item("x").Body } }, RequestId = name },
            DeliveryWorld.Soon)),
            async (world, name) =>
                $"{(await world.SureState.ReadListAsync(new ReadListRequest { List = name }, DeliveryWorld.Soon)).Count} entries"),
        new("StateService/UpdateValue", s_nothing, async (world, name) => Text(await world.State.UpdateValueAsync(
            new UpdateValueRequest { Value = name, Edit = One(), RequestId = name }, DeliveryWorld.Soon)),
            async (world, name) =>
                $"{(await world.SureState.ReadValueAsync(new ReadValueRequest { Value = name }, DeliveryWorld.Soon)).Current}"),
        new("StateService/UpdateArray", s_nothing, async (world, name) => Text(await world.State.UpdateArrayAsync(
            new UpdateArrayRequest { Array = name, Length = 2, Edits = { new ArrayEdit { Index = 1, Edit = One() } }, RequestId = name },
            DeliveryWorld.Soon)),
            async (world, name) =>
                $"{(await world.SureState.ReadArrayAsync(new ReadArrayRequest { Array = name }, DeliveryWorld.Soon)).Values}"),
    ];

    /// <summary>Calls that are idempotent by their meaning; counts in the response may differ and are left out.</summary>
    public static IReadOnlyList<CallCase> ByNature { get; } =
    [
        new("TaskService/CancelTasks", s_nothing, async (world, name) =>
        {
            // Submitted under its own id, so that it is one task however often this is sent.
            var spec = Specs.Json("sleep", """{"ms": 600000}""", requestId: name);
            var id = (await world.Coordinator.SubmitAsync(spec)).Single();
            await world.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { id } }, DeliveryWorld.Soon);
            return $"{(await world.Coordinator.WaitAsync([id])).Single().State}";
        }, (_, _) => Task.FromResult("")),
        new("QueueService/CreateQueue", s_nothing, async (world, name) =>
            (await world.Queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = name, MaxItems = 7 } },
                DeliveryWorld.Soon)).Queue.Spec.MaxItems.ToString(System.Globalization.CultureInfo.InvariantCulture), LookAtQueueAsync),
        new("QueueService/ShutDownQueue", (world, name) => world.QueueAsync(name), async (world, name) =>
            $"{await world.Queues.ShutDownQueueAsync(new ShutDownQueueRequest { Queue = name }, DeliveryWorld.Soon)}", LookAtQueueAsync),
        new("QueueService/DeleteQueue", (world, name) => world.QueueAsync(name), (world, name) =>
            GoneAsync(world.Queues.DeleteQueueAsync(new DeleteQueueRequest { Queue = name }, DeliveryWorld.Soon)), (world, name) =>
            GoneAsync(world.SureQueues.GetQueueAsync(new GetQueueRequest { Queue = name }, DeliveryWorld.Soon))),
        new("PipeService/CreatePipe", s_nothing, async (world, name) =>
            $"{(await world.Pipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = name, Duplex = true } },
                DeliveryWorld.Soon)).Pipe.Spec.Duplex}", LookAtPipeAsync),
        new("StateService/DeleteState", async (world, name) => await world.SureState.UpdateValueAsync(
            new UpdateValueRequest { Value = name, Edit = One() }, DeliveryWorld.Soon), (world, name) =>
            GoneAsync(world.State.DeleteStateAsync(new DeleteStateRequest { Kind = StateKind.Value, Name = name }, DeliveryWorld.Soon)),
            async (world, name) =>
            $"{(await world.SureState.ListStateAsync(
                new ListStateRequest { PageSize = 1_000 }, DeliveryWorld.Soon)).Objects.Count(item => item.Name == name)} there"),
        new("SyncService/SetEvent", s_nothing, async (world, name) =>
        {
            await world.Sync.SetEventAsync(new SetEventRequest { Event = name, Set = true }, DeliveryWorld.Soon);
            return "set";
        }, async (world, name) => $"{(await world.Coordinator.Sync.WaitEventAsync(
            new WaitEventRequest { Event = name, Timeout = Specs.Seconds(0) }, DeliveryWorld.Soon)).Status}"),
        new("SyncService/ControlBarrier", async (world, name) => await world.Coordinator.Sync.WaitBarrierAsync(
            new WaitBarrierRequest { Barrier = name, Parties = 1 }, DeliveryWorld.Soon), async (world, name) =>
            $"{await world.Sync.ControlBarrierAsync(
                new ControlBarrierRequest { Barrier = name, Action = BarrierAction.Reset }, DeliveryWorld.Soon)}", LookAtSyncAsync),
        new("SyncService/CreateRateLimiter", s_nothing, async (world, name) =>
            $"{(await world.Sync.CreateRateLimiterAsync(new CreateRateLimiterRequest { Spec =
                new RateLimiterSpec { Name = name, Permits = 5, Period = Specs.Seconds(60) } }, DeliveryWorld.Soon)).Spec.Permits}",
            async (world, name) => $"{(await world.Coordinator.Sync.AcquirePermitsAsync(
                new AcquirePermitsRequest { RateLimiter = name, Permits = 5, Timeout = Specs.Seconds(0) }, DeliveryWorld.Soon)).Status}"),
        new("SyncService/DeleteRateLimiter", async (world, name) => await world.Coordinator.Sync.CreateRateLimiterAsync(
            new CreateRateLimiterRequest { Spec = new RateLimiterSpec { Name = name, Permits = 5, Period = Specs.Seconds(60) } },
            DeliveryWorld.Soon), (world, name) =>
            GoneAsync(world.Sync.DeleteRateLimiterAsync(new DeleteRateLimiterRequest { RateLimiter = name }, DeliveryWorld.Soon)),
            LookAtSyncAsync),
        new("SessionService/CreateSession", async (world, _) => world.SessionsBefore = await world.SessionsAsync(), async (world, _) =>
        {
            // A session whose response was lost has no owner, holds nothing, and expires after its time to live.
            var made = await world.Sessions.CreateSessionAsync(new CreateSessionRequest { Ttl = Specs.Seconds(0.05) }, DeliveryWorld.Soon);
            return $"{made.Ttl}";
        }, async (world, _) =>
        {
            await UntilAsync(async () => await world.SessionsAsync() <= world.SessionsBefore);
            return "none left";
        }),
        new("SessionService/KeepSessionAlive", s_nothing, async (world, _) =>
            $"{(await world.Sessions.KeepSessionAliveAsync(
                new KeepSessionAliveRequest { SessionId = world.Session }, DeliveryWorld.Soon)).Ttl}", (_, _) => Task.FromResult("")),
        new("SessionService/CloseSession", (world, _) => world.OpenOtherAsync(), (world, _) =>
            GoneAsync(
                world.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = world.Other }, DeliveryWorld.Soon)), (world, _) =>
            GoneAsync(world.Coordinator.Sessions.KeepSessionAliveAsync(
                new KeepSessionAliveRequest { SessionId = world.Other }, DeliveryWorld.Soon))),
        new("AdminService/ScaleWorkers", s_nothing, async (world, _) =>
            $"{await world.Admin.ScaleWorkersAsync(new ScaleWorkersRequest { Workers = 1 }, DeliveryWorld.Soon)}", LookAtWorkersAsync),
        new("AdminService/RecycleWorkers", s_nothing, async (world, _) =>
        {
            // A worker may be replaced twice; the guarantee is that no task notices (RecycleUnderLoadTests).
            await world.Admin.RecycleWorkersAsync(new RecycleWorkersRequest(), DeliveryWorld.Soon);
            return "recycled";
        }, LookAtWorkersAsync),
        new("AdminService/Drain", s_nothing, async (world, _) =>
            $"{await world.Admin.DrainAsync(new DrainRequest { Timeout = Specs.Seconds(10) }, DeliveryWorld.Soon)}", async (world, _) =>
            $"{(await world.Coordinator.Admin.GetStatusAsync(new GetStatusRequest(), DeliveryWorld.Soon)).Status.Draining}"),
    ];

    private static TaskSpec Increment(string name, string key) =>
        Specs.Json("increment", $$"""{"dict": "{{name}}", "key": "{{key}}"}""", requestId: $"{name}/{key}");

    private static NumberEdit One() => new() { Add = new Number { Integer = 1 } };

    private static string Text(TaskResult result, string _) => $"{result.State} {result.Output} attempt {result.Attempt}";

    // Versions are numbered over all objects.
    private static string Text(Google.Protobuf.IMessage answer) =>
        System.Text.RegularExpressions.Regex.Replace(answer.ToString()!, "\"version\": \"\\d+\"", "");

    private static Task<string> LookAtQueueAsync(DeliveryWorld world, string name) => world.LookAtQueueAsync(name);

    private static Task<string> LookAtPipeAsync(DeliveryWorld world, string name) => world.LookAtPipeAsync(name);

    private static Task<string> LookAtSyncAsync(DeliveryWorld world, string name) => world.LookAtSyncAsync(name);

    private static async Task<string> LookAtDictAsync(DeliveryWorld world, string name) => string.Join(", ",
        (await world.SureState.ReadDictAsync(new ReadDictRequest { Dict = name }, DeliveryWorld.Soon)).Entries.OrderBy(entry => entry.Key)
            .Select(entry => $"{entry.Key}={entry.Value.Json.NumberValue}"));

    private static async Task<string> LookAtWorkersAsync(DeliveryWorld world, string _) =>
        string.Join(", ", (await world.Coordinator.WorkersAsync()).Select(worker => $"{worker.Name} {worker.State}"));

    /// <summary>Removed now or before: a caller that repeats the call treats NOT_FOUND of the second as success.</summary>
    private static async Task<string> GoneAsync<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            await call;
        }
        catch (RpcException exception)
            when (exception.GetRpcStatus()?.GetDetail<Google.Rpc.ErrorInfo>()?.Reason is "NOT_FOUND" or "SESSION_LOST")
        {
            // As below.
        }

        return "gone";
    }
}

using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// Part 5, 15, 17 and 23: one client's sessions are its own, and its holds and objects leave room for others and for tasks.
/// </summary>
public sealed class ForeignSessionTests
{
    [Fact]
    public async Task Another_client_can_neither_see_nor_use_a_session()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        var session = await coordinator.OpenSessionAsync();
        await coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = "mine", SessionId = session }, Soon);
        var waiting = coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = "mine", SessionId = session }, Soon).ResponseAsync;
        await coordinator.UntilWaitsAsync(edges => edges.Any());

        var tenant = Connect(coordinator, "tenant");
        var sync = new SyncService.SyncServiceClient(tenant);
        var (tasks, admin) = (new TaskService.TaskServiceClient(tenant), new AdminService.AdminServiceClient(coordinator.Invoker));
        var shown = (await sync.ListSyncAsync(new ListSyncRequest(), Soon)).Objects.Single(item => item.Object == "locks/mine");
        Assert.Equal([SessionAlias.Of(session)], shown.Holders.Concat(shown.Waiters).Select(holder => holder.SessionId).Distinct());
        Assert.DoesNotContain(
            session, $"{shown} {await admin.ExplainWaitsAsync(new ExplainWaitsRequest(), Soon)}", StringComparison.Ordinal);

        await new QueueService.QueueServiceClient(coordinator.Invoker).CreateQueueAsync(
            new CreateQueueRequest { Spec = new QueueSpec { Name = "q" } }, Soon);
        // Every request that names a session, found by its descriptor: the id alone is not enough, and a task's session id is no secret.
        var task = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}"""))).Single();
        await UntilAsync(
            async () => (await coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = task }, Soon)).Task.State == TaskState.Running);
        var methods = Methods();
        Assert.True(methods.Length > 20, $"{methods.Length} methods name a session");
        foreach (var id in new[] { session, $"task-{task}-1" })
        {
            foreach (var method in methods)
            {
                var error = await RpcCatalogue.CallAsync(
                    tenant, method.Service.FullName, method.Name, message: Request(method, id, task).ToByteArray());
                Assert.Equal((method.FullName, StatusCode.PermissionDenied, "PERMISSION_DENIED"),
                    (method.FullName, error!.StatusCode, ReasonOf(error)));
                Assert.DoesNotContain(session, error.Status.Detail, StringComparison.Ordinal);
            }

            using var connect = new SessionService.SessionServiceClient(tenant).Connect(Soon);
            await connect.RequestStream.WriteAsync(new ConnectRequest
            {
                Operations = { new Operation { OperationId = 1, ReleaseLock = new ReleaseLockRequest { Lock = "mine", SessionId = id } } },
            });
            while (await connect.ResponseStream.MoveNext(TestContext.Current.CancellationToken)
                && connect.ResponseStream.Current.Outcomes.Count == 0)
            {
            }

            Assert.Equal(ErrorReason.PermissionDenied, connect.ResponseStream.Current.Outcomes.Single().Error.Reason);
        }

        // The lock is still held, and its owner continues over another connection.
        await new SyncService.SyncServiceClient(coordinator.Connect()).ReleaseLockAsync(
            new ReleaseLockRequest { Lock = "mine", SessionId = session }, Soon);
        Assert.Equal(WaitStatus.Ok, (await waiting).Status);
        await tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { task } }, Soon);
    }

    [Fact]
    public async Task Holds_without_a_session_by_one_client_lock_out_neither_others_nor_tasks()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--max-sessions-per-client", "50");
        var sync = new SyncService.SyncServiceClient(Connect(coordinator, "greedy"));
        var day = Specs.Seconds(24 * 3_600);
        var calls = Enumerable.Range(0, 60).Select(
            i => sync.AcquireLockAsync(new AcquireLockRequest { Lock = $"taken-{i}", Lease = day }, Soon).ResponseAsync).ToArray();
        await Task.WhenAll(calls).ContinueWith(_ => { }, TaskScheduler.Default);
        var refused = calls.Where(call => call.IsFaulted).Select(call => (RpcException)call.Exception!.InnerException!).ToArray();
        Assert.Equal(10, refused.Length);
        Assert.All(refused, error => Check(error, StatusCode.ResourceExhausted, "LIMIT_EXCEEDED", "(sessions_per_client)"));
        // Its own task's attempt is accepted, another client's is not.
        var own = (await new TaskService.TaskServiceClient(Connect(coordinator, "other")).RunTaskAsync(
            new RunTaskRequest { Task = Specs.Json("increment", """{"dict": "d", "key": "k", "protection": "lock"}""") }, Soon)).Result;
        Assert.Equal(TaskState.Succeeded, own.State);
        Assert.Equal(TaskState.Succeeded,
            (await coordinator.RunAsync(Specs.Json("increment", """{"dict": "d", "key": "k", "protection": "lock"}"""))).State);
    }

    /// <summary>Also across a restart, for durable objects.</summary>
    [Fact]
    public async Task What_a_revoked_token_has_left_is_found_and_removed_and_its_holds_go_back()
    {
        using var directory = new TemporaryDirectory();
        var files = new TokenFiles(directory.Path, TimeProvider.System);
        await using (var coordinator = await CoordinatorProcess.StartInAsync(directory, "--workers", "1"))
        {
            var tenant = coordinator.Connect(files.Create(Role.Submit, null, "tenant").Token);
            await FillAsync(tenant, "theirs");
            await FillAsync(coordinator.Invoker, "ours");
            var session = (await new SessionService.SessionServiceClient(tenant).CreateSessionAsync(
                new CreateSessionRequest { Ttl = Specs.Seconds(24 * 3_600) }, Soon)).SessionId;
            await new SyncService.SyncServiceClient(tenant).AcquireLockAsync(
                new AcquireLockRequest { Lock = "build", SessionId = session }, Soon);
            await new SyncService.SyncServiceClient(tenant).AcquireLockAsync(
                new AcquireLockRequest { Lock = "deploy", Lease = Specs.Seconds(24 * 3_600) }, Soon);
            Assert.True(files.Revoke("tenant"));
            foreach (var name in new[] { "build", "deploy" })
                Assert.Equal(WaitStatus.Ok, (await coordinator.Sync.AcquireLockAsync(new AcquireLockRequest { Lock = name }, Soon)).Status);
        }

        await using var next = await CoordinatorProcess.StartInAsync(directory, "--workers", "1");
        Assert.Equal(["dict ours ", "dict theirs tenant", "queue ours ", "queue theirs tenant"], await ListAsync());
        var (code, said) = await CommandLine.RunAsync("objects", "--delete", "--data-dir", directory.Path);
        Assert.Equal(2, code);
        Assert.Contains("--delete needs --owner NAME", said, StringComparison.Ordinal);
        (code, said) = await CommandLine.RunAsync("objects", "--owner", "tenant", "--delete", "--data-dir", directory.Path);
        Assert.Equal(0, code);
        Assert.Contains("2 objects deleted", said, StringComparison.Ordinal);
        Assert.Equal(["dict ours ", "queue ours "], await ListAsync());

        async Task<string[]> ListAsync() =>
        [
            .. (await CommandLine.RunAsync("objects", "--output", "json", "--data-dir", directory.Path)).Output.Split(
                '\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line => JsonNode.Parse(line)!).Select(item => $"{item["kind"]} {item["name"]} {item["owner"]}")
                .Order(StringComparer.Ordinal),
        ];

        static async Task FillAsync(CallInvoker invoker, string name)
        {
            await new QueueService.QueueServiceClient(invoker).CreateQueueAsync(
                new CreateQueueRequest { Spec = new QueueSpec { Name = name, Durability = Durability.Process } }, Soon);
            await new StateService.StateServiceClient(invoker).UpdateDictAsync(
                new UpdateDictRequest { Dict = name, Durability = Durability.Process, Edits = { new DictEdit { Key = "k", Add = 1 } } },
                Soon);
        }
    }

    /// <summary>The methods whose first message may name a session.</summary>
    private static MethodDescriptor[] Methods() =>
    [
        .. new[] { TasksReflection.Descriptor, QueuesReflection.Descriptor, PipesReflection.Descriptor, StateReflection.Descriptor,
            SyncReflection.Descriptor, SessionsReflection.Descriptor }
            .SelectMany(file => file.Services).SelectMany(service => service.Methods).Where(
                method => method.InputType.FindFieldByName("session_id") is not null),
    ];

    /// <summary>A request whose only fault is the session.</summary>
    private static IMessage Request(MethodDescriptor method, string session, ulong task)
    {
        IMessage request = method.Name switch
        {
            "Consume" => new ConsumeRequest { Queue = "q", Credits = 1 },
            "UpdateValue" => new UpdateValueRequest { Value = "v", Edit = new NumberEdit { Add = new Number { Integer = 1 } } },
            "WaitTasks" => new WaitTasksRequest { TaskIds = { task } },
            _ => method.InputType.Parser.ParseFrom([]),
        };
        method.InputType.FindFieldByName("session_id").Accessor.SetValue(request, session);
        return request;
    }

    private static CallInvoker Connect(CoordinatorProcess coordinator, string name) =>
        coordinator.Connect(new TokenFiles(coordinator.DataDirectory, TimeProvider.System).Create(Role.Submit, null, name).Token);
}

using System.Buffers.Binary;
using Grpc.Core;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Soak;

/// <summary>
/// Attacks by callers without a credential and by greedy clients: each must get the expected response, or this throws. A client's token is
/// revoked at the end of its attack, and its objects are removed.
/// </summary>
internal sealed class SoakAttack(CoordinatorProcess coordinator, TaskLedger ledger) : IAsyncDisposable
{
    private const int Connections = 40;
    private const int Unknown = 500;

    private readonly List<RawHttp2> _strangers = [];
    private readonly TokenFiles _tokens = new(coordinator.DataDirectory, TimeProvider.System);
    private int _number;

    /// <summary>13 and 14: without a credential, connections that stay open and push bodies, until the next attack.</summary>
    public async Task PushAsStrangerAsync()
    {
        Leave();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        for (var i = 0; i < Connections; i++)
        {
            var connection = new RawHttp2(coordinator.GrpcAddress).Begin();
            _strangers.Add(connection);
            for (var stream = 1; stream < 9; stream += 2)
            {
                var begin = new byte[15_000];
                BinaryPrimitives.WriteInt32BigEndian(begin.AsSpan(1), 30 << 20);
                connection.Call(stream, i % 2 == 0 ? "/orchestrator.v1.TaskService/SubmitTasks" : "/grpc.health.v1.Health/Check")
                    .Frame(RawHttp2.Data, 0, stream, begin);
            }

            await connection.SendAsync(limit.Token);
        }

        // A client with a credential is served on a new connection.
        await new AdminService.AdminServiceClient(coordinator.Connect()).GetStatusAsync(
            new GetStatusRequest(), CoordinatorProcess.Deadline(60));
    }

    /// <summary>15: locks without a session for a day, up to the limit; revoking its token frees them.</summary>
    public async Task HoardLocksAsync()
    {
        var (name, invoker) = Enter();
        var sync = new SyncService.SyncServiceClient(invoker);
        for (var i = 0; i < 20; i++)
        {
            await Task.WhenAll(Enumerable.Range(0, 50).Select(lockNumber => sync.AcquireLockAsync(
                new AcquireLockRequest { Lock = $"{name}-{i}-{lockNumber}", Lease = Specs.Seconds(24 * 3_600) },
                CoordinatorProcess.Deadline(60)).ResponseAsync));
        }

        _tokens.Revoke(name);
        await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = $"{name}-0-0", Lease = Specs.Seconds(1) }, CoordinatorProcess.Deadline(60));
    }

    /// <summary>16: hundreds of tasks with unknown handlers and specifications of maximum size.</summary>
    public async Task SubmitUnknownAsync()
    {
        var (name, invoker) = Enter();
        var tasks = Enumerable.Range(0, Unknown).Select(i => new TaskSpec
        {
            Handler = $"{name}-unknown-{i}",
            Options = new TaskOptions { Labels = { [$"label-{i}"] = new string('x', 1_024) }, ResultTtl = Specs.Seconds(1) },
        });
        var error = await Assert.ThrowsAsync<RpcException>(async () => await new TaskService.TaskServiceClient(invoker).RunTaskAsync(
            new RunTaskRequest { Task = new TaskSpec { Handler = new string('x', 4_000) } }, CoordinatorProcess.Deadline(60)));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        // Each fails at once: its end is counted and never fetched.
        ledger.GiveUp([.. Enumerable.Range(0, Unknown).Select(_ => ledger.Accept())]);
        var ids = (await new TaskService.TaskServiceClient(invoker).SubmitTasksAsync(
            new SubmitTasksRequest { Tasks = { tasks } }, CoordinatorProcess.Deadline(60))).TaskIds;
        Assert.Equal(Unknown, ids.Count);
        _tokens.Revoke(name);
    }

    /// <summary>17: a client fills a queue that has practically no bounds; the queue's owner is on record, and it is removed.</summary>
    public async Task FillQueueAsync()
    {
        var (name, invoker) = Enter();
        var queues = new QueueService.QueueServiceClient(invoker);
        await queues.CreateQueueAsync(new CreateQueueRequest
        {
            Spec =
            new QueueSpec { Name = name, MaxItems = 1_000_000, MaxBytes = 16L << 30 }
        }, CoordinatorProcess.Deadline(60));
        var body = new QueueItem { Body = new Payload { Data = Google.Protobuf.ByteString.CopyFrom(new byte[1_000_000]) } };
        for (var put = 0; put < 20; put++)
            await queues.PutAsync(new PutRequest { Queue = name, Items = { body } }, CoordinatorProcess.Deadline(60));
        _tokens.Revoke(name);
        var mine = new QueueService.QueueServiceClient(coordinator.Invoker);
        Assert.Equal(name, (await mine.GetQueueAsync(new GetQueueRequest { Queue = name }, CoordinatorProcess.Deadline(60))).Queue.Owner);
        await mine.DeleteQueueAsync(new DeleteQueueRequest { Queue = name }, CoordinatorProcess.Deadline(60));
    }

    /// <summary>23: another client's session, whose id it has learnt.</summary>
    public async Task UseForeignSessionAsync()
    {
        var (name, invoker) = Enter();
        var session =
            (await coordinator.Sessions.CreateSessionAsync(new CreateSessionRequest(), CoordinatorProcess.Deadline(60))).SessionId;
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await new SessionService.SessionServiceClient(invoker).CloseSessionAsync(
                new CloseSessionRequest { SessionId = session }, CoordinatorProcess.Deadline(60)));
        Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);
        await coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = session }, CoordinatorProcess.Deadline(60));
        _tokens.Revoke(name);
    }

    /// <summary>Closes the strangers' connections.</summary>
    public void Leave()
    {
        _strangers.ForEach(stranger => stranger.Dispose());
        _strangers.Clear();
    }

    public ValueTask DisposeAsync()
    {
        Leave();
        return ValueTask.CompletedTask;
    }

    private (string Name, CallInvoker Invoker) Enter()
    {
        var name = $"attacker-{++_number}";
        return (name, coordinator.Connect(_tokens.Create(Role.Submit, TimeSpan.FromHours(1), name).Token));
    }
}

using Grpc.Core;
using Grpc.Core.Interceptors;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults.Delivery;

/// <summary>A coordinator, clients whose calls can be made to fail, and reliable clients that prepare and observe.</summary>
internal sealed class DeliveryWorld
{
    private readonly CallInvoker _faulty;

    public DeliveryWorld(CoordinatorProcess coordinator)
    {
        Coordinator = coordinator;
        _faulty = coordinator.Connect().Intercept(Calls);
    }

    public CoordinatorProcess Coordinator { get; }

    public FaultyCalls Calls { get; } = new();

    public static CallOptions Soon => CoordinatorProcess.Deadline();

    public TaskService.TaskServiceClient Tasks => new(_faulty);

    public QueueService.QueueServiceClient Queues => new(_faulty);

    public PipeService.PipeServiceClient Pipes => new(_faulty);

    public StateService.StateServiceClient State => new(_faulty);

    public SyncService.SyncServiceClient Sync => new(_faulty);

    public SessionService.SessionServiceClient Sessions => new(_faulty);

    /// <summary>For calls that are made by their descriptors.</summary>
    public CallInvoker Faulty => _faulty;

    public AdminService.AdminServiceClient Admin => new(_faulty);

    public QueueService.QueueServiceClient SureQueues => new(Coordinator.Invoker);

    public PipeService.PipeServiceClient SurePipes => new(Coordinator.Invoker);

    public StateService.StateServiceClient SureState => new(Coordinator.Invoker);

    /// <summary>The session whose operations fail in transit.</summary>
    public string Session { get; private set; } = "";

    /// <summary>The session that a case closes.</summary>
    public string Other { get; private set; } = "";

    /// <summary>The lease that a case settles.</summary>
    public ulong Lease { get; set; }

    /// <summary>The sum of the incarnations of the workers before a case that replaces some.</summary>
    public long Incarnations { get; set; }

    /// <summary>The number of sessions before the case that creates some; sessions that expire in the meantime reduce it.</summary>
    public int SessionsBefore { get; set; }

    public async Task<int> SessionsAsync() => (await Coordinator.Admin.GetStatusAsync(new GetStatusRequest(), Soon)).Status.Sessions;

    public async Task OpenAsync() => Session = await SessionAsync();

    public async Task OpenOtherAsync() => Other = await SessionAsync();

    private async Task<string> SessionAsync() =>
        (await Coordinator.Sessions.CreateSessionAsync(new CreateSessionRequest { Ttl = Specs.Seconds(120) }, Soon)).SessionId;

    public async Task<long> LookAtIncarnationsAsync() => (await Coordinator.WorkersAsync()).Sum(worker => (long)worker.Incarnation);

    /// <summary>A queue with two items.</summary>
    public async Task QueueAsync(string name)
    {
        await SureQueues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = name } }, Soon);
        await SureQueues.PutAsync(new PutRequest { Queue = name, Items = { Item("1"), Item("2") } }, Soon);
    }

    /// <summary>The content of a queue.</summary>
    public async Task<string> LookAtQueueAsync(string name)
    {
        var queue = (await SureQueues.GetQueueAsync(new GetQueueRequest { Queue = name }, Soon)).Queue;
        return $"{queue.ReadyItems} ready, {queue.LeasedItems} leased, {queue.UnfinishedItems} unfinished, shut down {queue.ShutDown}";
    }

    /// <summary>A pipe with two messages waiting at end A.</summary>
    public async Task PipeAsync(string name)
    {
        await SurePipes.CreatePipeAsync(new CreatePipeRequest { Spec = new PipeSpec { Name = name, Duplex = true } }, Soon);
        await SurePipes.SendAsync(new SendRequest { Pipe = name, End = PipeEnd.B, Messages = { Item("1").Body, Item("2").Body } }, Soon);
    }

    /// <summary>The content of a pipe.</summary>
    public async Task<string> LookAtPipeAsync(string name)
    {
        var pipe =
            (await SurePipes.ListPipesAsync(new ListPipesRequest { PageSize = 1_000 }, Soon)).Pipes.Single(item => item.Spec.Name == name);
        return $"{pipe.BufferedToA} to A, {pipe.BufferedToB} to B, closed {pipe.AClosed} {pipe.BClosed}";
    }

    /// <summary>The state of a lock, a semaphore or the like.</summary>
    public async Task<string> LookAtSyncAsync(string name)
    {
        var found = (await Coordinator.Sync.ListSyncAsync(new ListSyncRequest { PageSize = 1_000 }, Soon)).Objects.SingleOrDefault(
            item => item.Object.EndsWith($"/{name}", StringComparison.Ordinal));
        return found is null ? "none" : $"{found.Description}, {found.Holders.Count} hold, {found.Waiters.Count} wait";
    }

    public static QueueItem Item(string text) => new() { Body = Payloads.FromText(text) };
}

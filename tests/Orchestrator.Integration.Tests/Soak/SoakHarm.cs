using Grpc.Core;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;
using Orchestrator.Integration.Tests.Security;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Soak;

/// <summary>
/// Faults by single tasks, clients and strangers, beside the coordinator's load. Each must get the expected response, or this throws.
/// </summary>
internal sealed class SoakHarm : IAsyncDisposable
{
    private const string Method = "/orchestrator.v1.TaskService/StreamTasks";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private static readonly string[] s_deaths = ["abort", "exit", "crash", "stack_overflow"];
    // A length beyond the end, an endless varint, field number zero, an invalid wire type, an end group without a start.
    private static readonly byte[][] s_garbage =
        [[0x0a, 0x7f, 1, 2], [0x08, .. Enumerable.Repeat((byte)0xff, 12)], [0x00, 0x01], [0x0f], [0x0c]];

    private readonly CoordinatorProcess _coordinator;
    private readonly TaskLedger _ledger;
    private readonly Random _random;
    private readonly OrchestratorClient _client;
    private readonly CallInvoker _stranger;
    private readonly IReadOnlyList<(string Service, string Method)> _methods;
    private readonly List<Task> _later = [];
    private AsyncDuplexStreamingCall<StreamTasksRequest, StreamTasksResponse>? _unread;
    private RawHttp2? _silent;
    private long _repeated;
    private int _number;

    private SoakHarm(
        CoordinatorProcess coordinator, TaskLedger ledger, Random random, OrchestratorClient client,
        IReadOnlyList<(string Service, string Method)> methods)
    {
        (_coordinator, _ledger, _random, _client, _methods) = (coordinator, ledger, random, client, methods);
        _stranger = coordinator.Connect("wrong");
    }

    public static async Task<SoakHarm> StartAsync(CoordinatorProcess coordinator, TaskLedger ledger, Random random)
    {
        var methods = await RpcCatalogue.ReadAsync(coordinator.Invoker);
        var client = await OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory });
        return new SoakHarm(coordinator, ledger, random, client, methods);
    }

    /// <summary>F2: a task ends its worker.</summary>
    public async Task EndWorkerAsync()
    {
        var result = await RunAsync(Specs.Json(Any(s_deaths)));
        Assert.Equal(TaskState.WorkerLost, result.State);
    }

    /// <summary>
    /// F4: a task goes on computing past its timeout. Whether its worker is killed for that or by another fault is random.
    /// </summary>
    public void OverrunLater() => Later(async () =>
    {
        var options = new TaskOptions { RunTimeout = Specs.Seconds(0.5), CancelGrace = Specs.Seconds(0.5) };
        var result = await RunAsync(Specs.Json("spin", """{"ms": 60000}""", options));
        Assert.True(result.State is TaskState.TimedOut or TaskState.WorkerLost, $"{result}");
    });

    /// <summary>F5: tasks block threads for longer than a heartbeat.</summary>
    public void BlockThreadsLater() => Later(async () =>
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RunAsync(Specs.Json("blocking_sleep", """{"ms": 2500}"""))));
        Assert.All(results, result => Assert.True(result.State is TaskState.Succeeded or TaskState.WorkerLost, $"{result}"));
    });

    /// <summary>F12: a client submits and never reads, until the next such client.</summary>
    public async Task NeverReadAsync()
    {
        const int Count = 200;
        _unread?.Dispose();
        _unread = _coordinator.Tasks.StreamTasks();
        var payload = new byte[8 * 1024];
        var tags = Enumerable.Range(0, Count).Select(_ => _ledger.Accept()).ToArray();
        foreach (var tag in tags)
            await _unread.RequestStream.WriteAsync(new StreamTasksRequest { Tasks = { Specs.Bytes("echo", payload, tag) } });
        _ledger.GiveUp(tags);
    }

    /// <summary>F13 and F14: connections that violate the protocol, flood, or go silent.</summary>
    public async Task BreakProtocolAsync()
    {
        using var limit = new CancellationTokenSource(s_limit);
        var connection = new RawHttp2(_coordinator.GrpcAddress);
        switch (_random.Next(4))
        {
            case 0:
                await connection.Bytes(Bytes(2_000)).SendAsync(limit.Token);
                break;
            case 1:
                connection.Begin();
                for (var stream = 1; stream < 300; stream += 2)
                    connection.Call(stream, Method).Frame(RawHttp2.ResetStream, 0, stream, [0, 0, 0, RawHttp2.Cancel]);
                await connection.SendAsync(limit.Token);
                break;
            case 2:
                connection.Begin();
                for (var ping = 0; ping < 2_000; ping++)
                    connection.Frame(RawHttp2.Ping, 0, 0, new byte[8]);
                await connection.SendAsync(limit.Token);
                break;
            default:
                // Headers without an end: the connection stays until the server drops it, or until the next one is dropped.
                await connection.Begin().Call(1, Method, flags: 0).SendAsync(limit.Token);
                _silent?.Dispose();
                _silent = connection;
                return;
        }

        connection.Dispose();
    }

    /// <summary>F15: bytes that are not a valid message, to any method.</summary>
    public async Task SendGarbageAsync()
    {
        var (service, method) = Any(_methods);
        var error = await RpcCatalogue.CallAsync(_coordinator.Invoker, service, method, message: Any(s_garbage), seconds: 60);
        Assert.True(error?.StatusCode == StatusCode.InvalidArgument, $"{service}/{method}: {error?.Status.ToString() ?? "success"}");
    }

    /// <summary>F16: the response to a request is lost, so that it is repeated.</summary>
    public async Task RepeatRequestAsync()
    {
        var state = new StateService.StateServiceClient(_coordinator.Invoker);
        var request = new UpdateValueRequest
        {
            Value = "repeated",
            Edit = new NumberEdit { Add = new Number { Integer = 1 } },
            RequestId = $"repeated-{_repeated++}"
        };
        var first = await state.UpdateValueAsync(request, CoordinatorProcess.Deadline());
        var again = await state.UpdateValueAsync(request, CoordinatorProcess.Deadline());
        Assert.Equal((_repeated, _repeated), (first.After.Integer, again.After.Integer));
    }

    /// <summary>F23: a holder whose lease has run out writes under its old token.</summary>
    public async Task OutliveLeaseAsync()
    {
        var name = $"soak-lease-{_number++}";
        var held = await _coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = name, Lease = Specs.Seconds(0.1) }, CoordinatorProcess.Deadline());
        await using var other = await _client.OpenSessionAsync("other");
        await using var next = await other.Lock(name).AcquireAsync().WaitAsync(s_limit);
        var one = new NumberEdit { Add = new Number { Integer = 1 } };
        var stale = await Assert.ThrowsAnyAsync<OrchestratorException>(
            () => other.Value(name).UpdateAsync(one, new Guard { Lock = name, FencingToken = held.FencingToken }));
        Assert.Contains($"fencing token {held.FencingToken}", stale.Message, StringComparison.Ordinal);
        await other.Value(name).UpdateAsync(one, new Guard { Lock = name, FencingToken = next.FencingToken });
        await _client.Contract.DeleteStateAsync(StateKind.Value, name);
    }

    /// <summary>F24: two sessions wait for each other; one of them gets the error.</summary>
    public async Task DeadlockAsync()
    {
        await using var one = await _client.OpenSessionAsync("one");
        await using var two = await _client.OpenSessionAsync("two");
        await one.Lock("soak-first").AcquireAsync();
        await two.Lock("soak-second").AcquireAsync();
        Task[] waits = [one.Lock("soak-second").AcquireAsync(), two.Lock("soak-first").AcquireAsync()];
        var told = await Task.WhenAny(waits).WaitAsync(s_limit);
        await Assert.ThrowsAsync<DeadlockException>(() => told);
        Assert.False(Array.TrueForAll(waits, wait => wait.IsCompleted), "both were told");
    }

    /// <summary>F26: a stranger calls any method.</summary>
    public async Task CallAsStrangerAsync()
    {
        var (service, method) = Any(_methods);
        var error = await RpcCatalogue.CallAsync(_stranger, service, method, seconds: 60);
        Assert.True(error?.StatusCode == StatusCode.Unauthenticated, $"{service}/{method}: {error?.Status.ToString() ?? "success"}");
    }

    /// <summary>Waits for background faults, ends what was left open, and checks the remaining state.</summary>
    public async Task FinishAsync()
    {
        _unread?.Dispose();
        _silent?.Dispose();
        await Task.WhenAll(_later).WaitAsync(s_limit);
        var repeated = await new StateService.StateServiceClient(_coordinator.Invoker).ReadValueAsync(
            new ReadValueRequest { Value = "repeated" }, CoordinatorProcess.Deadline());
        Assert.Equal(_repeated, repeated.Current.Integer);
    }

    public async ValueTask DisposeAsync()
    {
        _unread?.Dispose();
        _silent?.Dispose();
        await _client.DisposeAsync();
    }

    private async Task<TaskResult> RunAsync(TaskSpec task)
    {
        task.Tag = _ledger.Accept();
        var result = await _coordinator.RunAsync(task, seconds: 120);
        _ledger.End(result);
        return result;
    }

    // Its failure is reported at the next fault, or at the end.
    private void Later(Func<Task> harm)
    {
        foreach (var ended in _later.Where(task => task.IsCompleted).ToArray())
        {
            _later.Remove(ended);
            ended.GetAwaiter().GetResult();
        }

        _later.Add(harm());
    }

    private byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    private T Any<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];
}

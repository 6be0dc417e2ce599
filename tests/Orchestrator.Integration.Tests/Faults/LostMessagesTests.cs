using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Orchestrator.Integration.Tests.Faults.Delivery;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// F16: a request is lost, its reply is lost, or it is delivered and reported as failed; repeated, it has one effect and the response of a
/// faultless call.
/// </summary>
public sealed partial class LostMessagesTests(ITestOutputHelper output)
{
    /// <summary>Methods without effects.</summary>
    private static readonly string[] s_reads =
    [
        "TaskService/WaitTasks", "TaskService/WatchTasks", "TaskService/GetTask", "TaskService/ListTasks", "TaskService/ListHandlers",
        "QueueService/Join", "QueueService/GetQueue", "QueueService/ListQueues", "PipeService/ListPipes",
        "StateService/ReadDict", "StateService/ReadList", "StateService/ReadValue", "StateService/ReadArray", "StateService/WatchState",
        "StateService/ListState",
        "SyncService/WaitEvent", "SyncService/ListSync",
        "AdminService/GetStatus", "AdminService/WatchStatus", "AdminService/WatchEvents", "AdminService/ExplainWaits",
        "AdminService/ListDeadlocks",
        "AdminService/ListLimits",
        "AdminService/WatchTelemetry",
        "AdminService/GetHistory",
        "AdminService/ListSessions",
        "AdminService/ListFlows",
        "QueueService/PeekQueue",
    ];

    /// <summary>
    /// A second code, fault or comparison is what a caller wants who asks again, and nothing of the first remains that it could double.
    /// </summary>
    private static readonly string[] s_repeatable =
        ["AdminService/CreateLoginCode", "AdminService/InjectFault", "AdminService/RunComparison"];

    /// <summary>
    /// Streams: a lost one is not repeated but opened anew. Its content is safe by the <c>request_id</c> of each task (StreamTasks), by the
    /// id of each operation (Connect), by the lease of each item (Consume); Produce and AttachPipe report their progress, and are at most
    /// once beyond it.
    /// </summary>
    private static readonly string[] s_streams =
        ["TaskService/StreamTasks", "SessionService/Connect", "QueueService/Produce", "QueueService/Consume", "PipeService/AttachPipe"];

    /// <summary>Operations without effects.</summary>
    private static readonly string[] s_readOperations =
        ["join", "read_dict", "read_list", "read_value", "read_array", "wait_event", "wait_latch"];

    public static TheoryData<DeliveryFault> Faults => [.. Enum.GetValues<DeliveryFault>()];

    [Fact]
    public void Every_method_and_operation_of_the_contract_is_tried_or_said_to_change_nothing()
    {
        var methods = Methods();
        Assert.True(methods.Length > 50);
        var operations = Operation.Descriptor.Oneofs.Single().Fields.ToArray();
        var tried = CallCase.WithRequestId.Concat(CallCase.ByNature).Select(item => item.Method)
            // An operation is the unary request of the same name.
            .Concat(OperationCase.All.Select(item => MethodOf(Field(item.Kind))));
        Assert.Equal(methods.Select(Name).Order(), tried.Concat(s_reads).Concat(s_repeatable).Concat(s_streams).Distinct().Order());
        Assert.Equal(operations.Select(field => field.Name).Order(), OperationCase.All.Select(item => Field(item.Kind).Name)
            .Concat(s_readOperations).Order());
        foreach (var method in methods.Where(method => method.IsClientStreaming))
            Assert.Contains(Name(method), s_streams);

        FieldDescriptor Field(Operation.RequestOneofCase kind) => operations.Single(field => field.FieldNumber == (int)kind);

        string MethodOf(FieldDescriptor field) => Name(methods.Single(method => method.InputType == field.MessageType));
    }

    /// <summary>Part 5, 26: every call with an effect carries a request id, unless it is idempotent by its meaning.</summary>
    [Fact]
    public void Every_call_that_changes_something_takes_a_request_id_or_is_idempotent_by_its_meaning()
    {
        string[] byMeaning =
        [
            "AdminService/Drain", "AdminService/ScaleWorkers", "PipeService/CreatePipe", "QueueService/CreateQueue",
            "QueueService/DeleteQueue",
            "SessionService/CloseSession", "SessionService/CreateSession", "SessionService/KeepSessionAlive", "StateService/DeleteState",
            "SyncService/CreateRateLimiter", "SyncService/DeleteRateLimiter", "TaskService/CancelTasks",
        ];
        var without = Methods().Where(method => !method.IsClientStreaming && !HasRequestId(method.InputType)).Select(Name)
            .Except(s_reads).Except(s_repeatable);
        Assert.Equal(byMeaning, without.Order(StringComparer.Ordinal));
        // And each call that takes one is tested with it.
        Assert.Equal(
            Methods().Where(method => !method.IsClientStreaming && HasRequestId(method.InputType)).Select(Name).Order(),
            CallCase.WithRequestId.Select(item => item.Method).Distinct().Order());

        static bool HasRequestId(MessageDescriptor message) =>
            message.Fields.InDeclarationOrder().Any(
                field => field.Name == "request_id" || (field.FieldType == FieldType.Message && field.MessageType == TaskSpec.Descriptor));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_call_that_fails_on_its_way_and_is_sent_again_has_one_effect_and_one_answer(DeliveryFault fault)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        await using var undisturbed = await CoordinatorProcess.StartAsync("--workers", "1");
        var (world, calm) = (new DeliveryWorld(coordinator), new DeliveryWorld(undisturbed));
        await world.OpenAsync();
        await calm.OpenAsync();
        var cases = CallCase.WithRequestId.Concat(CallCase.ByNature).ToArray();
        for (var i = 0; i < cases.Length; i++)
        {
            var (item, name) = (cases[i], $"case-{i}");
            await item.Prepare(calm, name);
            await item.Prepare(world, name);
            var expected = $"{item.Method}: {await item.Send(calm, name)} → {await item.Look(calm, name)}";
            world.Calls.Arm(fault);
            var failed = await Assert.ThrowsAsync<RpcException>(() => item.Send(world, name));
            Assert.Equal(StatusCode.Unavailable, failed.StatusCode);
            var answer = await item.Send(world, name);
            // The first call may end before or after the second: both have ended before the state is read.
            await Record.ExceptionAsync(() => world.Calls.Delivered);
            Assert.Equal(expected, $"{item.Method}: {answer} → {await item.Look(world, name)}");
        }

        Assert.Equal(cases.Length, world.Calls.Fired);
        output.WriteLine($"{world.Calls.Fired} calls: {fault}");
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task An_operation_whose_stream_breaks_and_that_is_sent_again_has_one_effect_and_one_answer(DeliveryFault fault)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        var world = new DeliveryWorld(coordinator);
        await world.OpenAsync();
        ulong id = 0;
        foreach (var item in OperationCase.All)
        {
            var expected = await RunAsync(item, null);
            Assert.Equal(expected, await RunAsync(item, fault));
        }

        async Task<string> RunAsync(OperationCase item, DeliveryFault? with)
        {
            var name = $"object-{++id}";
            await item.Prepare(world, name);
            var operation = item.Make(world, name);
            operation.OperationId = id;
            var outcome = await FaultyStreams.SendAsync(coordinator.Sessions, world.Session, operation, with);
            outcome.OperationId = 0;
            Assert.True(outcome.Error is null, $"{item.Kind} after {with}: {outcome.Error}");
            return Numbers().Replace(
                $"{item.Kind}: {outcome} → {await item.Look(world, name)}".Replace(name, "NAME", StringComparison.Ordinal), "\"$1\": N");
        }
    }

    private static MethodDescriptor[] Methods() => [.. typeof(TaskService).Assembly.GetTypes()
        .Where(type => type.Namespace == "Orchestrator.V1" && type.Name.EndsWith("Reflection", StringComparison.Ordinal))
        .Select(type => type.GetProperty("Descriptor")?.GetValue(null)).OfType<FileDescriptor>()
        .SelectMany(file => file.Services).SelectMany(service => service.Methods)];

    private static string Name(MethodDescriptor method) => $"{method.Service.Name}/{method.Name}";

    // Values that are numbered over all objects: different each time.
    [GeneratedRegex("\"(version|fencingToken|sequence|leaseId)\": \"\\d+\"")]
    private static partial Regex Numbers();
}

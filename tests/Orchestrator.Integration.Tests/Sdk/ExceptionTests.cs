using System.Reflection;
using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Coordinator.Errors;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>No road leads to a bare <see cref="RpcException"/>: each reason by each way it travels, and each public method without a coordinator.</summary>
public sealed class ExceptionTests
{
    private static readonly CoordinatorEndpoint Endpoint = new(new Uri("http://127.0.0.1:7600"), "given", "token", "given");

    private static readonly Dictionary<ErrorReason, Type> OfCalls = new()
    {
        [ErrorReason.LimitExceeded] = typeof(LimitExceededException),
        [ErrorReason.Deadlock] = typeof(DeadlockException),
        [ErrorReason.SessionLost] = typeof(SessionLostException),
        [ErrorReason.ShutDown] = typeof(QueueShutDownException),
        [ErrorReason.Unauthenticated] = typeof(NotAllowedException),
        [ErrorReason.PermissionDenied] = typeof(NotAllowedException),
    };

    public static TheoryData<ErrorReason> Reasons => [.. Enum.GetValues<ErrorReason>()];

    public static TheoryData<string> Methods =>
        [.. typeof(OrchestratorClient).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => !method.IsSpecialName && method.Name is not (nameof(OrchestratorClient.DisposeAsync) or nameof(OrchestratorClient.OpenTaskStream)))
            .Select(method => method.ToString()!)];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Each_reason_is_one_exception_by_call_and_by_operation(ErrorReason reason)
    {
        var expected = OfCalls.GetValueOrDefault(reason, typeof(OrchestratorException));
        var byCall = ErrorTranslator.Translate(Failures.Create(reason, "what happened"), Endpoint);
        Assert.Equal((expected, reason), (byCall.GetType(), byCall.Reason));
        var byOperation = ObjectErrors.From(new OperationError { Code = (int)Failures.StatusOf(reason), Reason = reason, Message = "what happened" });
        Assert.Equal((expected, reason), (byOperation.GetType(), byOperation.Reason));
        Assert.Equal(byCall.StatusCode, byOperation.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Each_end_of_a_task_is_an_exception_that_names_it(ErrorReason reason)
    {
        var (state, expected) = reason switch
        {
            ErrorReason.Cancelled => (TaskState.Cancelled, typeof(TaskCancelledException)),
            ErrorReason.QueueTimeout or ErrorReason.RunTimeout or ErrorReason.TotalTimeout => (TaskState.TimedOut, typeof(TaskTimeoutException)),
            ErrorReason.WorkerLost => (TaskState.WorkerLost, typeof(WorkerLostException)),
            ErrorReason.Quarantined => (TaskState.Failed, typeof(WorkerLostException)),
            _ => (TaskState.Failed, typeof(RemoteTaskException)),
        };
        var error = TaskErrors.From(new TaskResult { TaskId = 7, State = state, Error = new TaskError { Reason = reason, Message = "said" } }, "work");
        Assert.Equal(expected, error.GetType());
        Assert.Contains("task 7 ('work')", error.Message, StringComparison.Ordinal);
        Assert.Contains("said", error.Message, StringComparison.Ordinal);
        if (error is OrchestratorException typed)
            Assert.Equal(reason, typed.Reason);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Without_a_coordinator_each_method_says_so(string signature)
    {
        await using var client = await OrchestratorClient.ConnectAsync(new OrchestratorClientOptions
        {
            // Nobody listens on the discard port.
            Endpoint = "http://127.0.0.1:9", Token = "x", VerifyOnConnect = false, ReconnectFor = TimeSpan.Zero,
        });
        var method = typeof(OrchestratorClient).GetMethods().Single(method => method.ToString() == signature);
        if (method.IsGenericMethodDefinition)
            method = method.MakeGenericMethod([.. method.GetGenericArguments().Select(_ => typeof(int))]);
        var arguments = method.GetParameters().Select(parameter => Example(parameter.ParameterType)).ToArray();
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(() => FinishAsync(method.Invoke(client, arguments)!).Soon());
    }

    [Fact]
    public async Task A_deadlock_names_its_cycle_and_a_lost_lock_says_so()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var client = await SdkFixture.ConnectAsync(coordinator);
        await using var a = await client.OpenSessionAsync("a");
        await using var b = await client.OpenSessionAsync("b");
        await using var x = await a.Lock("x").AcquireAsync();
        await using var y = await b.Lock("y").AcquireAsync();
        using var giveUp = new CancellationTokenSource();
        var waiting = a.Lock("y").AcquireAsync(giveUp.Token);
        using var limit = new CancellationTokenSource(SdkWaits.Patience);
        while ((await client.ExplainWaitsAsync(limit.Token)).Count == 0)
            await Task.Delay(10, limit.Token);
        var deadlock = await Assert.ThrowsAsync<DeadlockException>(() => b.Lock("x").AcquireAsync().Soon());
        Assert.Equal(["a", "b"], deadlock.Cycle.Select(edge => edge.WaiterName).Order());
        Assert.Equal(["locks/x", "locks/y"], deadlock.Cycle.Select(edge => edge.Object).Order());
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Soon());
        x.ThrowIfLost();
        coordinator.Kill();
        await coordinator.WaitForExitAsync();
        var lost = new TaskCompletionSource();
        await using var registration = x.Lost.Register(() => lost.TrySetResult());
        await lost.Task.Soon();
        Assert.Contains("\"x\"", Assert.Throws<LockLostException>(x.ThrowIfLost).Message, StringComparison.Ordinal);
    }

    private static async Task FinishAsync(object result)
    {
        if (result is Task task)
        {
            await task;
            return;
        }

        var items = result.GetType().GetInterfaces().Single(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>));
        await (Task)typeof(ExceptionTests).GetMethod(nameof(DrainAsync), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(items.GetGenericArguments()).Invoke(null, [result])!;
    }

    private static async Task DrainAsync<T>(IAsyncEnumerable<T> items)
    {
        await foreach (var unused in items)
            Assert.Fail("there is nothing to come");
    }

    private static object? Example(Type type)
    {
        if (type == typeof(string))
            return "x";
        if (type == typeof(IEnumerable<ulong>))
            return new ulong[] { 1 };
        if (type == typeof(IEnumerable<TaskSpec>))
            return new[] { new TaskSpec() };
        if (type == typeof(IEnumerable<int>))
            return new[] { 1 };
        if (type == typeof(IAsyncEnumerable<int>))
            return new[] { 1 }.ToAsyncEnumerable();
        if (type == typeof(TaskFunction<int, int>))
            return TaskFunction.Json<int, int>("x");
        if (type == typeof(TimeSpan))
            return TimeSpan.FromSeconds(1);
        // Options and the like are left out, messages are empty.
        return type.IsValueType ? Activator.CreateInstance(type)
            : typeof(Google.Protobuf.IMessage).IsAssignableFrom(type) ? Activator.CreateInstance(type) : null;
    }
}

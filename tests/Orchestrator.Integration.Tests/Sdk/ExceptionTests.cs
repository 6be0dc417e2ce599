using System.Reflection;
using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>
/// No call throws a bare <see cref="RpcException"/>: each reason on each path, and each public method without a coordinator.
/// </summary>
[Trait("Kind", "slow")]
public sealed class ExceptionTests
{
    private static readonly CoordinatorEndpoint Endpoint = new(new Uri("http://127.0.0.1:7600"), "given", "token", "given");

    private static readonly Type[] s_clients = [typeof(OrchestratorClient), typeof(ContractClient)];

    public static TheoryData<string> Methods =>
        [.. s_clients.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(method => !method.IsSpecialName
                && method.Name is not (nameof(OrchestratorClient.DisposeAsync) or nameof(ContractClient.OpenTaskStream)))
            .Select(Signature)];

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Without_a_coordinator_each_method_says_so(string signature)
    {
        await using var client = await OrchestratorClient.ConnectAsync(new OrchestratorClientOptions
        {
            // The discard port has no listener.
            Endpoint = "http://127.0.0.1:9",
            Token = "x",
            VerifyOnConnect = false,
            ReconnectFor = TimeSpan.Zero,
        });
        var method = s_clients.SelectMany(type => type.GetMethods()).Single(method => Signature(method) == signature);
        if (method.IsGenericMethodDefinition)
            method = method.MakeGenericMethod([.. method.GetGenericArguments().Select(_ => typeof(int))]);
        var arguments = method.GetParameters().Select(parameter => Example(parameter.ParameterType)).ToArray();
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(() => FinishAsync(
            method.Invoke(method.DeclaringType == typeof(OrchestratorClient) ? client : client.Contract, arguments)!).Soon());
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
        while ((await client.Contract.ExplainWaitsAsync(limit.Token)).Count == 0)
            await Task.Delay(10, limit.Token);
        var deadlock = await Assert.ThrowsAsync<DeadlockException>(() => b.Lock("x").AcquireAsync().Soon());
        Assert.Equal(["a", "b"], deadlock.Cycle.Select(edge => edge.WaiterName).Order());
        Assert.Equal(["locks/x", "locks/y"], deadlock.Cycle.Select(edge => edge.ObjectName).Order());
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Soon());
        x.ThrowIfLost();
        coordinator.Kill();
        await coordinator.WaitForExitAsync();
        var lost = new TaskCompletionSource();
        await using var registration = x.Lost.Register(() => lost.TrySetResult());
        await lost.Task.Soon();
        // The other session learns of its loss by itself; before that it would try a release.
        var otherLost = new TaskCompletionSource();
        await using var otherRegistration = y.Lost.Register(() => otherLost.TrySetResult());
        await otherLost.Task.Soon();
        Assert.Contains("\"x\"", Assert.Throws<LockLostException>(x.ThrowIfLost).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_coordinator_ends_each_wait_and_each_later_call_on_a_shared_object_with_an_exception_of_the_client()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var client = await SdkFixture.ConnectAsync(coordinator);
        await using var other = await client.OpenSessionAsync("other");
        await using var session = await client.OpenSessionAsync("mine");
        await using var held = await other.Lock("held").AcquireAsync();
        var one = new Payload();
        foreach (var queue in (string[])["empty", "full", "leased"])
            await client.Contract.CreateQueueAsync(new QueueSpec { Name = queue, MaxItems = 1 });
        await session.Queue("full").PutAsync(one);
        await session.Queue("leased").PutAsync(one);
        await using var leased = await session.Queue("leased").LeaseAsync();
        await client.Contract.CreatePipeAsync(new PipeSpec { Name = "pipe", Duplex = true });
        var end = session.Pipe("pipe").EndA;

        Task[] waiting =
        [
            session.Lock("held").AcquireAsync(), session.Queue("empty").GetAsync(), session.Queue("full")
                .PutAsync(one), session.Queue("full").JoinAsync(),
            session.Event("never").WaitAsync(), session.Latch("latch", 1).WaitAsync(), session.Barrier("barrier", 2)
                .WaitAsync(), end.ReceiveAsync(),
            DrainAsync(session.Dict("dict").WatchMessagesAsync()), DrainAsync(session.Queue("empty").LeaseAllAsync()),
        ];
        // The lock's holder is the only one with a waiter; the other waits have no particular holder.
        await UntilAsync(async () => (await client.Contract.ExplainWaitsAsync()).Count > 0);
        coordinator.Kill();
        await coordinator.WaitForExitAsync();
        foreach (var wait in waiting)
            await Assert.ThrowsAnyAsync<OrchestratorException>(() => wait.Soon());

        object[] objects =
        [
            session.Lock("a"), session.Semaphore("a", 1), session.Event("a"), session.Condition("a", "a"), session.Barrier("a", 2),
            session.Latch("a", 1), session.RateLimiter("a"),
            session.Queue("a"), session.Dict("a"), session.List("a"), session.Value("a"), session.Array("a", 2), end, leased!,
        ];
        var calls = 0;
        foreach (var item in objects)
        {
            foreach (var method in item.GetType().GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Where(IsCall))
            {
                var arguments = method.GetParameters().Select(parameter => parameter.ParameterType == typeof(SharedLock)
                    ? session.Lock("b") : Example(parameter.ParameterType)).ToArray();
                var error = await Record.ExceptionAsync(() => FinishAsync(method.Invoke(item, arguments)!).Soon());
                Assert.True(error is OrchestratorException,
                    $"{item.GetType().Name}.{method.Name} ended with {error?.ToString() ?? "no exception"}");
                calls++;
            }
        }

        Assert.InRange(calls, 50, int.MaxValue);

        // An item is settled once: after the attempt to complete it, it can no longer be rejected.
        static bool IsCall(MethodInfo method) => !method.IsSpecialName && method.Name.EndsWith("Async", StringComparison.Ordinal)
            && method.Name is not ("DisposeAsync" or nameof(LeasedItem<>.RejectAsync));
    }

    private static string Signature(MethodInfo method) => $"{method.DeclaringType!.Name}: {method}";

    private static async Task FinishAsync(object result)
    {
        if (result is Task task)
        {
            await task;
            return;
        }

        var items = result.GetType().GetInterfaces().Single(
            type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>));
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
        if (type == typeof(Func<Payload?, Payload>))
            return (Func<Payload?, Payload>)(payload => payload ?? new Payload());
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>)
            && typeof(Google.Protobuf.IMessage).IsAssignableFrom(type.GetGenericArguments()[0]))
        {
            var messages = Array.CreateInstance(type.GetGenericArguments()[0], 1);
            messages.SetValue(Activator.CreateInstance(type.GetGenericArguments()[0]), 0);
            return messages;
        }

        if (type == typeof(IEnumerable<int>))
            return new[] { 1 };
        if (type == typeof(IAsyncEnumerable<int>))
            return new[] { 1 }.ToAsyncEnumerable();
        if (type == typeof(TaskFunction<int, int>))
            return TaskFunction.Json<int, int>("x");
        if (type == typeof(UpdateGuard))
            return new UpdateGuard();
        if (type == typeof(RateLimiterOptions))
            return new RateLimiterOptions { Permits = 1 };
        if (type == typeof(TimeSpan))
            return TimeSpan.FromSeconds(1);
        if (type == typeof(int))
            return 1;
        // Optional parameters such as options are omitted, messages are empty.
        return type.IsValueType ? Activator.CreateInstance(type)
            : typeof(Google.Protobuf.IMessage).IsAssignableFrom(type) ? Activator.CreateInstance(type) : null;
    }
}

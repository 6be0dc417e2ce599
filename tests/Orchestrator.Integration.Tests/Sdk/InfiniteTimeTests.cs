using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Orchestrator.App;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Synchronous;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Execution;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>
/// Part 5, 29: <see cref="Timeout.InfiniteTimeSpan"/> means "no limit" wherever the SDK takes a time, or is rejected by the name of the
/// parameter.
/// </summary>
public sealed class InfiniteTimeTests(SdkFixture fixture) : IClassFixture<SdkFixture>
{
    private static readonly TimeSpan s_infinite = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// Calls that accept it: each ends because its condition occurs, and would earlier have been rejected by the coordinator as −1 ms.
    /// </summary>
    private static readonly Dictionary<string, Func<OrchestratorClient, CoordinationSession, Task>> s_unlimited =
        new(StringComparer.Ordinal)
        {
            ["OrchestratorClientServiceCollectionExtensions.AddOrchestratorClient.timeout"] = (_, _) => RegistersAsync(
                builder => builder.AddOrchestratorClient(timeout: s_infinite)),
            ["OrchestratorServiceCollectionExtensions.AddOrchestrator.timeout"] = (_, _) => RegistersAsync(
                builder => builder.AddOrchestrator(timeout: s_infinite)),
            ["SharedLock.TryAcquireAsync.timeout"] = async (_, session) => Assert.NotNull(
                await session.Lock(Name()).TryAcquireAsync(s_infinite)),
            ["SharedSemaphore.TryAcquireAsync.timeout"] = async (_, session) => Assert.NotNull(
                await session.Semaphore(Name(), 1).TryAcquireAsync(s_infinite)),
            ["SharedEvent.TryWaitAsync.timeout"] = async (_, session) =>
            {
                var happened = session.Event(Name());
                var waiting = happened.TryWaitAsync(s_infinite);
                await happened.SetAsync();
                Assert.True(await waiting);
            },
            ["SharedCondition.TryWaitAsync.timeout"] = async (_, session) =>
            {
                var name = Name();
                var condition = session.Condition(name, name);
                await using var hold = await session.Lock(name).AcquireAsync();
                var waiting = condition.TryWaitAsync(s_infinite);
                await using var other = await session.Lock(name).AcquireAsync();
                await condition.NotifyAsync();
                await other.DisposeAsync();
                Assert.True(await waiting);
            },
            ["SharedBarrier.TryWaitAsync.timeout"] = async (_, session) => Assert.Equal(
                0, await session.Barrier(Name(), 1).TryWaitAsync(s_infinite)),
            ["SharedLatch.TryWaitAsync.timeout"] = async (_, session) =>
            {
                var latch = session.Latch(Name(), 1);
                var waiting = latch.TryWaitAsync(s_infinite);
                await latch.CountDownAsync();
                Assert.True(await waiting);
            },
            ["SharedRateLimiter.TryAcquireAsync.timeout"] = async (client, session) =>
            {
                var name = Name();
                await client.Contract.CreateRateLimiterAsync(new RateLimiterSpec { Name = name, Permits = 1, Period = Specs.Seconds(1) });
                Assert.Null(await session.RateLimiter(name).TryAcquireAsync(s_infinite));
            },
            ["SharedQueue.TryPutAsync.timeout"] = async (client, session) => Assert.True(
                await (await QueueAsync(client, session)).TryPutAsync(Payloads.FromNumber(2), s_infinite)),
            ["SharedQueue.TryGetAsync.timeout"] = async (client, session) => Assert.NotNull(
                await (await QueueAsync(client, session)).TryGetAsync(s_infinite)),
            ["SharedQueue.TryLeaseAsync.timeout"] = async (client, session) => Assert.NotNull(
                await (await QueueAsync(client, session)).TryLeaseAsync(s_infinite)),
            ["SharedQueue.TryLeaseAsync.lease"] = async (client, session) => Assert.NotNull(
                await (await QueueAsync(client, session)).TryLeaseAsync(TimeSpan.Zero, s_infinite)),
            ["SharedQueue.LeaseAsync.lease"] = async (client, session) => Assert.NotNull(
                await (await QueueAsync(client, session)).LeaseAsync(s_infinite)),
            ["SharedQueue.LeaseAllAsync.lease"] = async (client, session) =>
            {
                await foreach (var item in (await QueueAsync(client, session)).LeaseAllAsync(s_infinite))
                {
                    await item.CompleteAsync();
                    break;
                }
            },
            ["SharedQueue.OpenConsumer.lease"] = async (client, session) =>
            {
                await using var consumer = (await QueueAsync(client, session)).OpenConsumer(s_infinite);
                await foreach (var item in consumer.ReadAllAsync(CancellationToken.None))
                {
                    await item.CompleteAsync();
                    break;
                }
            },
            ["SharedQueue.TryJoinAsync.timeout"] = async (client, session) =>
            {
                var queue = await QueueAsync(client, session);
                await queue.GetAsync();
                var joining = queue.TryJoinAsync(s_infinite);
                await queue.MarkDoneAsync();
                Assert.Equal(0, await joining);
            },
            ["SharedPipeEnd.TrySendAsync.timeout"] = async (client, session) => Assert.True(
                await (await PipeAsync(client, session)).EndA.TrySendAsync(Payloads.FromNumber(1), s_infinite)),
            ["SharedPipeEnd.TryReceiveAsync.timeout"] = async (client, session) =>
            {
                var pipe = await PipeAsync(client, session);
                var receiving = pipe.EndB.TryReceiveAsync(s_infinite);
                await pipe.EndA.SendAsync(Payloads.FromNumber(1));
                Assert.NotNull((await receiving).Message);
            },
            ["DirectPipeEnd.TryReceiveAsync.timeout"] = async (client, session) =>
            {
                var name = Name();
                await client.CreatePipeAsync(name, new PipeOptions { Direct = true });
                await using var end = await session.Pipe<int>(name).EndA.AttachDirectAsync();
                await using var other = await session.Pipe<int>(name).EndB.AttachDirectAsync();
                foreach (var limit in (TimeSpan[])[s_infinite, TimeSpan.MaxValue])
                {
                    var receiving = end.TryReceiveAsync(limit);
                    await other.SendAsync(1);
                    Assert.Equal((1, false), await receiving);
                }
            },
            ["ContractClient.WaitAsync.timeout"] = async (client, _) =>
            {
                var ids = await client.Contract.SubmitAsync([Specs.Json("echo", "1")]);
                Assert.Single((await client.Contract.WaitAsync(ids, timeout: s_infinite)).Done);
            },
            ["TaskHandles.WaitAsync.timeout"] = async (client, _) =>
                Assert.Empty((await TaskHandles.WaitAsync(
                    [await client.SubmitAsync(TaskFunction.Json<int, int>("echo"), 1)], timeout: s_infinite)).Pending),
            ["OrchestratorClient.DrainAsync.timeout"] = (_, _) => DrainsAsync(client => client.DrainAsync(s_infinite, stop: false)),
            ["ContractClient.DrainAsync.timeout"] = (_, _) => DrainsAsync(client => client.Contract.DrainAsync(s_infinite, stop: false)),
            ["QueueOptions.Aging"] = (client, _) => CreatesAsync(client, new QueueOptions { Aging = s_infinite }),
            ["QueueOptions.IdleTtl"] = (client, _) => CreatesAsync(client, new QueueOptions { IdleTtl = s_infinite }),
            ["OrchestratorClientOptions.ReconnectFor"] = async (client, _) =>
            {
                await using var patient = await OrchestratorClient.ConnectAsync(
                    new OrchestratorClientOptions
                    {
                        Endpoint = client.Address.ToString(),
                        Token = client.Token,
                        ReconnectFor = s_infinite
                    });
                Assert.Equal(1, await patient.RunAsync(TaskFunction.Json<int, int>("echo"), 1));
            },
            ["OrchestratorAppOptions.DrainTimeout"] = (_, _) =>
            {
                Assert.Equal(
                    TimeSpan.FromDays(49), new OrchestratorAppOptions { DrainTimeout = s_infinite }.ToCoordinator("/", []).DrainTimeout);
                return Task.CompletedTask;
            },
            ["RunOptions.QueueTimeout"] = (client, _) => RunsAsync(client, new RunOptions { QueueTimeout = s_infinite }),
            ["RunOptions.RunTimeout"] = (client, _) => RunsAsync(client, new RunOptions { RunTimeout = s_infinite }),
            ["RunOptions.TotalTimeout"] = (client, _) => RunsAsync(client, new RunOptions { TotalTimeout = s_infinite }),
            ["RunOptions.CancelGrace"] = (client, _) => RunsAsync(client, new RunOptions { CancelGrace = s_infinite }),
            ["RunOptions.ResultTtl"] = (client, _) => RunsAsync(client, new RunOptions { ResultTtl = s_infinite }),
            ["RetryOptions.MaxBackoff"] = (client, _) => RunsAsync(
                client, new RunOptions { Retry = new RetryOptions { MaxBackoff = s_infinite } }),
        };

    /// <summary>Calls that cannot run without a limit.</summary>
    private static readonly Dictionary<string, Func<OrchestratorClient, CoordinationSession, Task>> s_refused = new(StringComparer.Ordinal)
    {
        ["OrchestratorClient.OpenSessionAsync.ttl"] = (client, _) => client.OpenSessionAsync(ttl: s_infinite),
        ["OrchestratorClient.WatchStatusAsync.interval"] = async (client, _) =>
        {
            await foreach (var status in client.WatchStatusAsync(s_infinite))
                break;
        },
        ["ContractClient.WatchStatusAsync.interval"] = async (client, _) =>
        {
            await foreach (var status in client.Contract.WatchStatusAsync(s_infinite))
                break;
        },
        ["ContractClient.WatchTelemetryAsync.interval"] = async (client, _) =>
        {
            await foreach (var message in client.Contract.WatchTelemetryAsync(s_infinite))
                break;
        },
        ["RateLimiterOptions.Period"] = (client, _) =>
            client.CreateRateLimiterAsync(Name(), new RateLimiterOptions { Permits = 1, Period = s_infinite }),
        ["LeasedItem.ExtendAsync.lease"] = async (client, session) =>
        {
            await using var item = await (await QueueAsync(client, session)).LeaseAsync();
            await item!.ExtendAsync(s_infinite);
        },
        ["RetryOptions.InitialBackoff"] = (client, _) => RunsAsync(
            client, new RunOptions { Retry = new RetryOptions { InitialBackoff = s_infinite } }),
    };

    /// <summary>Times that the SDK returns rather than takes.</summary>
    private static readonly string[] s_told =
    [
        "ResourceExhaustedException..ctor.retryAfter", "QueueStatus.OldestAge", "WaitLink..ctor.Waiting", "WaitLink.Waiting",
        "WorkerPostMortem.CpuTime",
    ];

    public static TheoryData<string> Unlimited => [.. s_unlimited.Keys];

    public static TheoryData<string> Refused => [.. s_refused.Keys];

    [Fact]
    public void Every_time_that_the_sdk_takes_is_tried()
    {
        const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var types = new[] { typeof(OrchestratorClient).Assembly, typeof(TaskExecutor).Assembly,
            typeof(OrchestratorApp).Assembly }.SelectMany(assembly => assembly.GetExportedTypes())
            // The synchronous methods are twins of the others: SynchronousApiTests compares them.
            .Where(type => !type.IsInterface && type.Namespace != typeof(SynchronousLocks).Namespace).ToArray();
        var parameters = types
            .SelectMany(type => type.GetMethods(Public).Where(method => !method.IsSpecialName).Cast<MethodBase>()
                .Concat(type.GetConstructors(Public)))
            .SelectMany(method => method.GetParameters().Where(parameter => IsTime(parameter.ParameterType)).Select(
                parameter => $"{NameOf(method.DeclaringType!)}.{method.Name}.{parameter.Name}"));
        var properties = types
            .SelectMany(type => type.GetProperties(Public))
            .Where(property => IsTime(property.PropertyType) && property.SetMethod is { IsPublic: true })
            .Select(property => $"{NameOf(property.DeclaringType!)}.{property.Name}");
        Assert.Equal(parameters.Concat(properties).Distinct().Order(StringComparer.Ordinal), s_unlimited.Keys.Concat(s_refused.Keys)
            .Concat(s_told).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Unlimited))]
    public async Task It_is_no_limit(string where)
    {
        await using var session = await fixture.Client.OpenSessionAsync();
        await s_unlimited[where](fixture.Client, session).Soon();
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task It_is_refused_by_name(string where)
    {
        await using var session = await fixture.Client.OpenSessionAsync();
        var refusal = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => s_refused[where](fixture.Client, session).Soon());
        Assert.Equal(where.Split('.')[^1], refusal.ParamName);
        Assert.Contains("Timeout.InfiniteTimeSpan is not possible here: ", refusal.Message, StringComparison.Ordinal);
    }

    private static string Name() => $"infinite-{Guid.NewGuid():N}";

    private static bool IsTime(Type type) => type == typeof(TimeSpan) || type == typeof(TimeSpan?);

    private static async Task RegistersAsync(Action<IHealthChecksBuilder> add)
    {
        var services = new ServiceCollection();
        add(services.AddHealthChecks());
        await using var provider = services.BuildServiceProvider();
        var checks = provider.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;
        Assert.Equal(s_infinite, Assert.Single(checks).Timeout);
    }

    private static string NameOf(Type type) => type.Name.Split('`')[0];

    private static async Task DrainsAsync(Func<OrchestratorClient, Task<long>> drain)
    {
        // The coordinator accepts no more tasks afterwards, so the test has its own.
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        await using var client = await SdkFixture.ConnectAsync(coordinator);
        Assert.Equal(0, await drain(client));
    }

    private static async Task CreatesAsync(OrchestratorClient client, QueueOptions options) =>
        Assert.Null((await client.CreateQueueAsync(Name(), options)).Options.Aging);

    private static async Task RunsAsync(OrchestratorClient client, RunOptions options) =>
        Assert.Equal(7, await client.RunAsync(TaskFunction.Json<int, int>("echo"), 7, options));

    private static async Task<SharedQueue<Payload>> QueueAsync(OrchestratorClient client, CoordinationSession session)
    {
        var queue = session.Queue(
            (await client.Contract.CreateQueueAsync(new QueueSpec { Name = Name(), Kind = QueueKind.Fifo })).Spec.Name);
        await queue.PutAsync(Payloads.FromNumber(1));
        return queue;
    }

    private static async Task<SharedPipe<Payload>> PipeAsync(OrchestratorClient client, CoordinationSession session) =>
        session.Pipe((await client.Contract.CreatePipeAsync(new PipeSpec { Name = Name(), Duplex = true })).Spec.Name);
}

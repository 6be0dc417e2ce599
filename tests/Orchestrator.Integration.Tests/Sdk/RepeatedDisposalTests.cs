using Microsoft.Extensions.DependencyInjection;
using Orchestrator.App;
using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.Tests;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>Part 5, 29: every disposable of the SDK can be disposed repeatedly, concurrently, and after its owner.</summary>
public sealed class RepeatedDisposalTests(SdkFixture fixture) : IClassFixture<SdkFixture>
{
    /// <summary>Each public disposable, and what the SDK itself disposes, created in a session and a client of the test's own.</summary>
    private static readonly Dictionary<string, Func<OrchestratorClient, CoordinationSession, Task<object>>> s_made =
        new(StringComparer.Ordinal)
        {
            [nameof(OrchestratorClient)] = (client, _) => Task.FromResult<object>(client),
            [nameof(CoordinationSession)] = (_, session) => Task.FromResult<object>(session),
            [nameof(LockHold)] = async (_, session) => await session.Lock(Name()).AcquireAsync(),
            [nameof(PermitHold)] = async (_, session) => await session.Semaphore(Name(), 1, bounded: true).AcquireAsync(),
            [nameof(SharedPipeEnd<>)] = async (client, session) =>
            {
                var name = (await client.Contract.CreatePipeAsync(new PipeSpec { Name = Name(), Duplex = true })).Spec.Name;
                await session.Pipe(name).EndA.TryReceiveAsync(TimeSpan.Zero);
                return session.Pipe(name).EndA;
            },
            [nameof(DirectPipeEnd<>)] = async (client, session) =>
            {
                var name = (await client.Contract.CreatePipeAsync(new PipeSpec { Name = Name(), Direct = true })).Spec.Name;
                return await session.Pipe(name).EndA.AttachDirectAsync();
            },
            [nameof(LeasedItem<>)] = async (client, session) =>
            {
                var queue = await QueueAsync(client, session);
                return (await queue.LeaseAsync())!;
            },
            [nameof(QueueConsumer<>)] = async (client, session) => (await QueueAsync(client, session)).OpenConsumer(),
            [nameof(TaskStream)] = (client, _) => Task.FromResult<object>(client.Contract.OpenTaskStream()),
            [nameof(SessionPool)] = async (client, session) =>
            {
                var gateway = new SessionPool(client.Address.ToString(), client.Token!, "test");
                Assert.NotNull(
                    await gateway.SessionOf(session.Id).Event("e").SetAsync().ContinueWith(
                        task => (object)task.Result, TaskScheduler.Default));
                return gateway;
            },
            [nameof(TaskExecutor)] = (_, _) => Task.FromResult<object>(new TaskExecutor(
                new TaskHandlerRegistry(), new ServiceCollection()
                    .BuildServiceProvider(), ExecutorLayout.Worker(64, 4), new CollectingSink(), null, TimeProvider.System)),
            [nameof(FlightRecorder)] = (_, _) =>
            {
                var path = Path.GetTempFileName();
                File.WriteAllBytes(path, new byte[4_096]);
                var recorder = FlightRecorder.Open(path);
                File.Delete(path);
                return Task.FromResult<object>(recorder);
            },
        };

    public static TheoryData<string> Names => [.. s_made.Keys];

    [Fact]
    public void Every_public_disposable_of_the_sdk_is_tried() => Assert.Empty(
        new[] { typeof(OrchestratorClient).Assembly, typeof(TaskExecutor).Assembly, typeof(OrchestratorApp).Assembly }
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Where(type => type is { IsClass: true, IsAbstract: false }
                && (type.IsAssignableTo(typeof(IAsyncDisposable)) || type.IsAssignableTo(typeof(IDisposable))))
            .Select(type => type.Name.Split('`')[0])
            .Except(s_made.Keys));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_can_be_disposed_twice(string name)
    {
        await using var own = await OwnAsync();
        var made = await s_made[name](own.Client, own.Session);
        await DisposeAsync(made).Soon();
        await DisposeAsync(made).Soon();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_can_be_disposed_twice_at_once(string name)
    {
        await using var own = await OwnAsync();
        var made = await s_made[name](own.Client, own.Session);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => DisposeAsync(made)))).Soon();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_can_be_disposed_after_its_session_and_its_client(string name)
    {
        await using var own = await OwnAsync();
        var made = await s_made[name](own.Client, own.Session);
        await own.Session.DisposeAsync();
        await DisposeAsync(made).Soon();
        await own.Client.DisposeAsync();
        await DisposeAsync(made).Soon();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_can_be_disposed_after_its_client_alone(string name)
    {
        await using var own = await OwnAsync();
        var made = await s_made[name](own.Client, own.Session);
        await own.Client.DisposeAsync();
        await DisposeAsync(made).Soon();
    }

    [Fact]
    public async Task A_client_and_a_session_that_are_closed_say_so()
    {
        await using var own = await OwnAsync();
        await own.Session.DisposeAsync();
        var closed = await Assert.ThrowsAsync<OrchestratorException>(() => own.Session.Lock("l").AcquireAsync());
        Assert.Equal(FailureReason.Cancelled, closed.Reason);
        await own.Client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => own.Client.RunAsync(TaskFunction.Json<int, int>("echo"), 1));
    }

    private static string Name() => $"disposal-{Guid.NewGuid():N}";

    private static async Task<SharedQueue<Payload>> QueueAsync(OrchestratorClient client, CoordinationSession session)
    {
        var name = (await client.Contract.CreateQueueAsync(new QueueSpec { Name = Name(), Kind = QueueKind.Fifo })).Spec.Name;
        var queue = session.Queue(name);
        await queue.PutAsync(Payloads.FromNumber(1));
        return queue;
    }

    private static async Task DisposeAsync(object made)
    {
        if (made is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            ((IDisposable)made).Dispose();
    }

    private async Task<Own> OwnAsync()
    {
        var client = await SdkFixture.ConnectAsync(fixture.Coordinator);
        return new Own(client, await client.OpenSessionAsync());
    }

    private sealed record Own(OrchestratorClient Client, CoordinationSession Session) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Session.DisposeAsync();
            await Client.DisposeAsync();
        }
    }
}

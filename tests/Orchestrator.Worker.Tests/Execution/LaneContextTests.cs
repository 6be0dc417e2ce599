using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Tests.Execution;

/// <summary>
/// What follows a handler's await inside the SDK stays on the lane's thread too: the encoding of its answer, its next element, and its
/// disposal.
/// </summary>
public sealed class LaneContextTests
{
    private const int Hops = 50;

    [Fact]
    public async Task The_answer_is_encoded_on_the_thread_of_the_handler()
    {
        var threads = new Threads();
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("answer", async (int _) =>
        {
            threads.Add();
            await HopAsync();
            return new Answer(threads);
        }, new() { Kind = HandlerKind.Cpu }));
        for (var i = 0; i < Hops; i++)
            Assert.Null((await fixture.RunAsync("answer", "0")).Error);
        Assert.Equal(2 * Hops, threads.Count);
        Assert.Single(threads.Different);
    }

    [Fact]
    public async Task A_generator_goes_on_on_its_thread_after_it_waited_for_room()
    {
        var threads = new Threads();
        var registry = new TaskHandlerRegistry();
        registry.MapTask("generate", (int count, CancellationToken _) => GenerateAsync(count), new() { Kind = HandlerKind.Cpu });
        await using var services = new ServiceCollection().BuildServiceProvider();
        var sink = new CollectingSink();
        await using var executor = new TaskExecutor(
            registry, services, ExecutorLayout.Worker(1, 1), new FullWriter(sink), null, TimeProvider.System);
        var assignment = new RawAssignment { TaskId = 1, Attempt = 1, Handler = "generate", Input = ExecutorFixture.Json($"{Hops}") };
        executor.Start([assignment]);
        Assert.Equal($"{Hops}", ExecutorFixture.Text((await sink.ResultAsync(assignment)).Output));
        Assert.Equal(Hops, threads.Count);
        Assert.Single(threads.Different);

        async IAsyncEnumerable<int> GenerateAsync(int count)
        {
            await HopAsync();
            for (var i = 0; i < count; i++)
            {
                threads.Add();
                yield return i;
            }
        }
    }

    [Fact]
    public async Task A_handler_is_disposed_on_its_thread()
    {
        var threads = new Threads();
        await using var fixture = new ExecutorFixture(
            r => r.MapTask<HoppingHandler, int, int>("hop", new() { Kind = HandlerKind.Cpu }),
            services: new ServiceCollection().AddSingleton(threads));
        for (var i = 0; i < Hops; i++)
            Assert.Null((await fixture.RunAsync("hop", "0")).Error);
        Assert.Equal(2 * Hops, threads.Count);
        Assert.Single(threads.Different);
    }

    /// <summary>Leaves the thread; the caller's await returns to it.</summary>
    private static Task HopAsync() => Task.Run(() => { }, CancellationToken.None);

    private sealed class Threads
    {
        private readonly ConcurrentQueue<int> _all = new();

        public int Count => _all.Count;

        public IReadOnlyCollection<int> Different => [.. _all.Distinct()];

        public void Add() => _all.Enqueue(Environment.CurrentManagedThreadId);
    }

    private sealed class Answer(Threads threads)
    {
        public bool IsEncoded
        {
            get
            {
                threads.Add();
                return true;
            }
        }
    }

    private sealed class HoppingHandler(Threads threads) : ITaskHandler<int, int>, IAsyncDisposable
    {
        public async Task<int> RunAsync(int input, TaskContext context, CancellationToken cancellationToken)
        {
            threads.Add();
            await HopAsync();
            return input;
        }

        public ValueTask DisposeAsync()
        {
            threads.Add();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Never has room until it is waited for.</summary>
    private sealed class FullWriter(CollectingSink sink) : IAttemptResultWriter
    {
        public bool HasRoom => false;

        public ValueTask WaitForRoomAsync(CancellationToken cancellationToken) => new(HopAsync());

        public void Completed(in RawAttemptResult result) => sink.Completed(result);

        public void Event(RawAttemptEvent attemptEvent) => sink.Event(attemptEvent);

        public void Returned(AttemptRef attempt) => sink.Returned(attempt);
    }
}

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;
using HandlerKind = Orchestrator.Worker.Tasks.HandlerKind;

namespace Orchestrator.Worker.Tests.Tasks;

public sealed partial class ContextTests
{
    [Fact]
    public async Task Progress_logs_and_partial_outputs_become_events()
    {
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("talk", async (int n, TaskContext context) =>
        {
            context.ReportProgress(1, 4, "started");
            LogNumber(context.Logger, n);
            LogTrace(context.Logger);
            await context.WritePartialAsync(new { half = n });
            await context.WritePartialBytesAsync(new byte[] { 1, 2 });
            return n;
        }));
        var assignment = fixture.Assign("talk", "7");
        await fixture.RunAsync(assignment);
        var events = fixture.Sink.Events.ToArray();
        Assert.Equal(
            [
                RawAttemptEvent.EventOneofCase.Progress, RawAttemptEvent.EventOneofCase.Log,
                RawAttemptEvent.EventOneofCase.PartialOutput, RawAttemptEvent.EventOneofCase.PartialOutput,
            ],
            events.Select(e => e.EventCase));
        Assert.All(events, e => Assert.Equal(assignment.TaskId, e.TaskId));
        Assert.Equal((1, 4, "started"), (events[0].Progress.Completed, events[0].Progress.Total, events[0].Progress.Message));
        Assert.Equal(("warning", "n is 7"), (events[1].Log.Level, events[1].Log.Message));
        Assert.Equal("{ \"half\": 7 }", ExecutorFixture.Text(events[2].PartialOutput));
        Assert.Equal(new byte[] { 1, 2 }, Payload.Parser.ParseFrom(events[3].PartialOutput).Data.ToByteArray());
    }

    [Fact]
    public async Task A_generator_sends_each_element_and_answers_with_their_number()
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask<int, string>("count", CountAsync));
        var result = await fixture.RunAsync("count", "3");
        Assert.Equal("3", ExecutorFixture.Text(result.Output));
        Assert.Equal(["\"0\"", "\"1\"", "\"2\""], fixture.Sink.Events.Select(e => ExecutorFixture.Text(e.PartialOutput)));
    }

    [Fact]
    public async Task A_timed_attempt_tells_its_processor_time_and_allocations()
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask("quick", (int n) => n));
        var assignment = fixture.Assign("quick", "1");
        assignment.Timing = true;
        var result = await fixture.RunAsync(assignment);
        Assert.NotNull(result.CpuTime);
        Assert.NotEqual(0ul, result.AllocatedBytes);
        Assert.NotEqual(0ul, result.EndedAt);
        Assert.NotNull(result.Run);
        Assert.Null((await fixture.RunAsync("quick", "1")).CpuTime);
    }

    [Fact]
    public async Task The_context_names_its_task_and_worker()
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask(
            "who",
            (int _, TaskContext c) => $"{c.Handler} {c.TaskId} {c.Attempt} {c.WorkerName} {c.IsInProcess}"));
        fixture.Executor.WorkerName = "worker-1#3";
        Assert.Equal("\"who 1 1 worker-1#3 False\"", ExecutorFixture.Text((await fixture.RunAsync("who", "0")).Output));
        fixture.Executor.WorkerName = "worker-2#4";
        Assert.Equal("\"who 2 1 worker-2#4 False\"", ExecutorFixture.Text((await fixture.RunAsync("who", "0")).Output));
    }

    [Fact]
    public async Task Worker_local_state_is_made_once_and_again_after_a_failure()
    {
        var made = 0;
        await using var fixture = new ExecutorFixture(r => r.MapTask(
            "local", (int _, TaskContext c) => c.GetLocal(
                () => ++made == 1 ? throw new InvalidOperationException("first") : new Counter()).Next()));
        Assert.Equal(ErrorReason.HandlerFailed, (await fixture.RunAsync("local", "0")).Error!.Reason);
        Assert.Equal("1", ExecutorFixture.Text((await fixture.RunAsync("local", "0")).Output));
        Assert.Equal("2", ExecutorFixture.Text((await fixture.RunAsync("local", "0")).Output));
        Assert.Equal(2, made);
    }

    [Fact]
    public async Task Handler_classes_come_from_the_container_with_their_lifetimes()
    {
        var services = new ServiceCollection();
        services.AddSingleton<Counter>().AddScoped<Disposable>().AddSingleton<SingletonHandler>().AddScoped<ScopedHandler>()
            .AddTaskHandlerLifetimes();
        await using var fixture = new ExecutorFixture(
            r =>
            {
                r.MapTask<SingletonHandler, int, int>("singleton", new() { Kind = HandlerKind.Cpu });
                r.MapTask<ScopedHandler, int, int>("scoped");
                r.MapTask<UnregisteredHandler, int, int>("unregistered", new() { Kind = HandlerKind.Blocking });
            },
            services: services);
        Assert.Equal("1", ExecutorFixture.Text((await fixture.RunAsync("singleton", "0")).Output));
        Assert.Equal("2", ExecutorFixture.Text((await fixture.RunAsync("singleton", "0")).Output));
        Disposable.Disposed = 0;
        Assert.Equal("3", ExecutorFixture.Text((await fixture.RunAsync("scoped", "0")).Output));
        Assert.Equal("4", ExecutorFixture.Text((await fixture.RunAsync("scoped", "0")).Output));
        Assert.Equal(2, Disposable.Disposed);
        Assert.Equal("5", ExecutorFixture.Text((await fixture.RunAsync("unregistered", "0")).Output));
    }

    [Fact]
    public async Task What_a_handler_throws_is_in_its_error()
    {
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("fail", async Task<int> (int _) =>
        {
            await Task.Yield();
            throw new InvalidOperationException("no luck", new ArgumentException("the cause"));
        }));
        var error = (await fixture.RunAsync("fail", "0")).Error!;
        Assert.Equal(ErrorReason.HandlerFailed, error.Reason);
        Assert.Equal("System.InvalidOperationException", error.Type);
        Assert.Equal("no luck", error.Message);
        Assert.Contains(nameof(What_a_handler_throws_is_in_its_error), error.StackTrace, StringComparison.Ordinal);
        Assert.Contains("the cause", error.StackTrace, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_handler_is_refused_by_name()
    {
        await using var fixture = new ExecutorFixture(r => r.MapTask("fibonacci", (int n) => n));
        var error = (await fixture.RunAsync("fibonaci")).Error!;
        Assert.Equal(ErrorReason.HandlerNotFound, error.Reason);
        Assert.Contains("'fibonaci'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_large_an_output_names_size_and_limit()
    {
        await using var fixture = new ExecutorFixture(r =>
        {
            r.MapTask("large", (int n) => new byte[n]);
            r.MapTask("partial", async (int n, TaskContext c) =>
            {
                await c.WritePartialBytesAsync(new byte[n]);
                return 0;
            }, new() { Kind = HandlerKind.Cpu });
        });
        foreach (var handler in new[] { "large", "partial" })
        {
            var error = (await fixture.RunAsync(handler, $"{ExecutorFixture.LargestOutput}")).Error!;
            Assert.Equal(ErrorReason.LimitExceeded, error.Reason);
            Assert.Contains("4000005 bytes; the limit is 4000000 bytes", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Names_are_unique_and_well_formed()
    {
        var registry = new TaskHandlerRegistry();
        registry.MapTask("one", (int n) => n);
        Assert.Contains("'one'", Assert.Throws<ArgumentException>(
            () => registry.MapTask("one", (int n) => n, new() { Kind = HandlerKind.Io })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => registry.MapTask("no spaces", (int n) => n));
        Assert.Throws<ArgumentException>(() => registry.MapTask("bad example", (int n) => n, new() { Example = "{" }));
        Assert.Throws<ArgumentException>(() => registry.MapTask("value.task", (int n) => new ValueTask<int>(n)));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "n is {N}")]
    private static partial void LogNumber(ILogger logger, int n);

    [LoggerMessage(Level = LogLevel.Trace, Message = "not sent")]
    private static partial void LogTrace(ILogger logger);

    private static async IAsyncEnumerable<string> CountAsync(
        int n, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        for (var i = 0; i < n; i++)
        {
            await Task.Yield();
            ct.ThrowIfCancellationRequested();
            yield return $"{i}";
        }
    }

    private sealed class Counter
    {
        private int _last;

        public int Next() => ++_last;
    }

    private sealed class Disposable : IDisposable
    {
        public static int Disposed { get; set; }

        public void Dispose() => Disposed++;
    }

    private sealed class SingletonHandler(Counter counter) : ITaskHandler<int, int>
    {
        public Task<int> RunAsync(int input, TaskContext context, CancellationToken cancellationToken) => Task.FromResult(counter.Next());
    }

    private sealed class ScopedHandler(Counter counter, Disposable disposable) : ITaskHandler<int, int>
    {
        public async Task<int> RunAsync(int input, TaskContext context, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Assert.Same(disposable, context.Services.GetRequiredService<Disposable>());
            return counter.Next();
        }
    }

    private sealed class UnregisteredHandler(Counter counter) : ITaskHandler<int, int>
    {
        public Task<int> RunAsync(int input, TaskContext context, CancellationToken cancellationToken) => Task.FromResult(counter.Next());
    }
}

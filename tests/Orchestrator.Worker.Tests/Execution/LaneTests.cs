using System.Collections.Concurrent;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Tests.Execution;

public sealed class LaneTests
{
    [Theory]
    [InlineData(HandlerKind.Cpu)]
    [InlineData(HandlerKind.Blocking)]
    public async Task Thread_lanes_never_use_the_pool(HandlerKind kind)
    {
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("where", (int? _) => Thread.CurrentThread.IsThreadPoolThread, new() { Kind = kind }));
        Assert.Equal("false", ExecutorFixture.Text((await fixture.RunAsync("where", "1")).Output));
    }

    [Fact]
    public async Task The_cpu_lane_runs_in_order_and_one_at_a_time()
    {
        var running = 0;
        var overlaps = 0;
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("work", async (int n) =>
        {
            if (Interlocked.Increment(ref running) > 1)
                Interlocked.Increment(ref overlaps);
            await Task.Yield();
            Interlocked.Decrement(ref running);
            return n;
        }, new() { Kind = HandlerKind.Cpu }));
        var batch = Enumerable.Range(0, 200).Select(i => fixture.Assign("work", $"{i}")).ToArray();
        fixture.Start(batch);
        foreach (var assignment in batch)
            await fixture.Sink.ResultAsync(assignment);
        Assert.Equal(0, overlaps);
        Assert.Equal(batch.Select(a => $"done {a.TaskId}"), fixture.Sink.Order);
    }

    [Fact]
    public async Task An_asynchronous_cpu_handler_stays_on_its_thread()
    {
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("hop", async (int hops) =>
        {
            var threads = new HashSet<int> { Environment.CurrentManagedThreadId };
            for (var i = 0; i < hops; i++)
            {
                await Task.Run(() => { }, CancellationToken.None);
                await Task.Yield();
                threads.Add(Environment.CurrentManagedThreadId);
            }

            return threads.Count;
        }, new() { Kind = HandlerKind.Cpu }));
        Assert.Equal("1", ExecutorFixture.Text((await fixture.RunAsync("hop", "50")).Output));
    }

    [Fact]
    public async Task An_io_handler_that_blocks_its_thread_delays_nobody()
    {
        var gate = new Gate();
        await using var fixture = new ExecutorFixture(r =>
        {
            r.MapTask("block", (int _) =>
            {
                gate.Block();
                return 1;
            }, new() { Kind = HandlerKind.Io });
            r.MapTask("quick", (int n) => n, new() { Kind = HandlerKind.Io });
        });
        var first = fixture.Assign("block", "0");
        var others = Enumerable.Range(0, 20).Select(i => fixture.Assign("quick", $"{i}")).ToArray();
        fixture.Start([first, .. others]);
        foreach (var other in others)
            await fixture.Sink.ResultAsync(other);
        Assert.False(fixture.Sink.IsDone(first));
        gate.Open();
        await fixture.Sink.ResultAsync(first);
    }

    [Fact]
    public async Task A_deferred_start_runs_io_on_the_calling_thread()
    {
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("where", (int _) => Environment.CurrentManagedThreadId, new() { Kind = HandlerKind.Io }));
        var assignment = fixture.Assign("where", "0");
        fixture.Executor.EnqueueForInline([assignment]);
        Assert.False(fixture.Sink.IsDone(assignment));
        fixture.Executor.RunInline();
        Assert.True(fixture.Sink.IsDone(assignment));
        Assert.Equal($"{Environment.CurrentManagedThreadId}", ExecutorFixture.Text((await fixture.Sink.ResultAsync(assignment)).Output));
    }

    [Fact]
    public async Task Start_never_runs_user_code_on_the_calling_thread()
    {
        foreach (var kind in Enum.GetValues<HandlerKind>())
        {
            var threads = new ConcurrentBag<int>();
            await using var fixture = new ExecutorFixture(r => r.MapTask("where", (int _) =>
            {
                threads.Add(Environment.CurrentManagedThreadId);
                return 0;
            }, new() { Kind = kind }));
            using var returned = new ManualResetEventSlim();
            var caller = 0;
            var batch = Enumerable.Range(0, 20).Select(i => fixture.Assign("where", $"{i}")).ToArray();
            var thread = new Thread(() =>
            {
                caller = Environment.CurrentManagedThreadId;
                fixture.Start(batch);
                // The thread stays alive, so that its id is not reused.
                returned.Wait(ExecutorFixture.Limit);
            });
            thread.Start();
            foreach (var assignment in batch)
                await fixture.Sink.ResultAsync(assignment);
            returned.Set();
            Assert.True(thread.Join(ExecutorFixture.Limit));
            Assert.DoesNotContain(caller, threads);
        }
    }

    [Theory]
    [InlineData(HandlerKind.Io, 3)]
    [InlineData(HandlerKind.Blocking, 4)]
    public async Task Lanes_are_bounded(HandlerKind kind, int bound)
    {
        var running = 0;
        var most = 0;
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new Gate();
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("hold", async (int n) =>
            {
                var now = Interlocked.Increment(ref running);
                InterlockedMax(ref most, now);
                if (now == bound)
                    full.TrySetResult();
                await gate.PassAsync();
                Interlocked.Decrement(ref running);
                return n;
            }, new() { Kind = kind }),
            ExecutorLayout.Worker(3, 4));
        var batch = Enumerable.Range(0, 20).Select(i => fixture.Assign("hold", $"{i}")).ToArray();
        fixture.Start(batch);
        await full.Task.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);
        Assert.Equal(bound, fixture.Executor.Running);
        Assert.Equal(20 - bound, fixture.Executor.Waiting);
        gate.Open();
        foreach (var assignment in batch)
            await fixture.Sink.ResultAsync(assignment);
        Assert.Equal(bound, most);
    }

    [Fact]
    public async Task Layouts_in_process_put_every_kind_on_one_lane()
    {
        foreach (var layout in new[] { ExecutorLayout.Sequential(), ExecutorLayout.Threads(3), ExecutorLayout.Async(8) })
        {
            await using var fixture = new ExecutorFixture(
                r =>
                {
                    foreach (var kind in Enum.GetValues<HandlerKind>())
                        r.MapTask($"{kind}", (int n, TaskContext context) => context.IsInProcess ? n : -1, new() { Kind = kind });
                },
                layout);
            var batch = Enumerable.Range(0, 60).Select(i => fixture.Assign($"{(HandlerKind)(1 + (i % 3))}", $"{i}")).ToArray();
            fixture.Start(batch);
            for (var i = 0; i < batch.Length; i++)
                Assert.Equal($"{i}", ExecutorFixture.Text((await fixture.Sink.ResultAsync(batch[i])).Output));
        }
    }

    [Fact]
    public async Task Async_locals_do_not_leak_into_the_next_task()
    {
        var local = new AsyncLocal<string?>();
        foreach (var kind in Enum.GetValues<HandlerKind>())
        {
            await using var fixture = new ExecutorFixture(
                r => r.MapTask("swap", (string text) =>
                {
                    var before = local.Value;
                    local.Value = text;
                    return before ?? "clean";
                }, new() { Kind = kind }),
                ExecutorLayout.Worker(1, 1));
            var batch = Enumerable.Range(0, 5).Select(i => fixture.Assign("swap", $"\"{i}\"")).ToArray();
            fixture.Start(batch);
            foreach (var assignment in batch)
                Assert.Equal("\"clean\"", ExecutorFixture.Text((await fixture.Sink.ResultAsync(assignment)).Output));
        }
    }

    private static void InterlockedMax(ref int target, int value)
    {
        var seen = Volatile.Read(ref target);
        while (value > seen)
        {
            var before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}

using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Load;

/// <summary>Everything is bounded: neither faulty nor frequent requests cost the coordinator resources that accumulate.</summary>
[Trait("Kind", "slow")]
public sealed class BoundedTests
{
    [Fact]
    public async Task A_client_that_never_reads_stops_only_itself()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await coordinator.StreamAsync(Enumerable.Range(0, 20_000).Select(i => Specs.Bytes("echo", new byte[64], (ulong)i)));
        var before = await StatusAsync(coordinator);
        using var ending = new CancellationTokenSource();
        var call = new TaskService.TaskServiceClient(coordinator.Connect()).StreamTasks(cancellationToken: ending.Token);
        var flood = Task.Run(async () =>
        {
            // A million tasks, in messages as a fast client would send them; the stream's window stops it long before.
            for (var message = 0; message < 2_000; message++)
            {
                await call.RequestStream.WriteAsync(
                    new StreamTasksRequest
                    {
                        Tasks =
                        { Enumerable.Range(0, 500).Select(i => Specs.Bytes("echo", new byte[64], (ulong)i)) }
                    }, ending.Token);
            }
        });

        // Other clients' calls go on meanwhile.
        for (var i = 0; i < 300; i++)
            Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Bytes("echo", new byte[64]))).State);
        var after = await StatusAsync(coordinator);
        Assert.False(flood.IsCompleted, "the flood was not stopped");
        // The accepted tasks are bounded by the credits and by the results that the transport buffered before it pushed back.
        Assert.InRange(after.Tasks.Succeeded - before.Tasks.Succeeded, 300, 60_000);
        Assert.InRange((long)after.Coordinator.RssBytes - (long)before.Coordinator.RssBytes, long.MinValue, 150_000_000);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => flood);
        call.Dispose();
    }

    [Fact]
    public async Task Ten_thousand_short_streams_over_one_connection_leave_nothing_behind()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await RunShortStreamsAsync(1_000);
        var handles = HandlesOf(coordinator.Pid);
        var before = await StatusAsync(coordinator);
        await RunShortStreamsAsync(Settings.Number("ORCHESTRATOR_SHORT_STREAMS", 3_000));
        var after = await StatusAsync(coordinator);
        Assert.Equal(0, after.Streams);
        Assert.InRange(HandlesOf(coordinator.Pid), 0, handles + 10);
        Assert.InRange((long)after.Coordinator.RssBytes - (long)before.Coordinator.RssBytes, long.MinValue, 60_000_000);

        async Task RunShortStreamsAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                using var call = coordinator.Tasks.StreamTasks(CoordinatorProcess.Deadline());
                await call.RequestStream.WriteAsync(new StreamTasksRequest { Tasks = { Specs.Bytes("echo", [1], (ulong)i) } });
                await call.RequestStream.CompleteAsync();
                var results = 0;
                await foreach (var response in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
                    results += response.Results.Count;
                Assert.Equal(1, results);
            }
        }
    }

    [Fact]
    public async Task Thousands_of_waiting_tasks_wait_together()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var results = await coordinator.StreamAsync(
            Enumerable.Range(0, 4_000).Select(i => Specs.Json("sleep", """{"ms": 1000}""", tag: (ulong)i)));
        Assert.Equal(4_000, results.Count);
        Assert.All(results, result => Assert.Equal(TaskState.Succeeded, result.State));
        // Sequentially it would take over an hour; a benchmark measures how close to one second it comes.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"it took {clock.Elapsed}");
    }

    private static async Task<ServiceStatus> StatusAsync(CoordinatorProcess coordinator) =>
        (await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status;

    private static int HandlesOf(int pid) => Directory.GetFiles($"/proc/{pid}/fd").Length;
}

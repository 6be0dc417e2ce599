using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>The end of the coordinator, by request or by a crash.</summary>
public sealed class CoordinatorEndTests
{
    [Fact]
    public async Task After_its_SIGKILL_no_worker_is_left()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare, "--allow-chaos"]);
        // Busy workers too: one that never checks its token, one idle, and the spare.
        await coordinator.SubmitAsync(Specs.Json("hang"), Specs.Json("spin", """{"ms": 60000}"""));
        Assert.True(coordinator.Family().Count >= 3);
        coordinator.Kill();
        await coordinator.WaitForExitAsync();
        await coordinator.WaitForFamilyToEndAsync(TimeSpan.FromSeconds(2));
        Assert.Empty(coordinator.Family());
    }

    [Fact]
    public async Task SIGTERM_under_load_drains_and_exits_with_0()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        using var call = coordinator.Tasks.StreamTasks(CoordinatorProcess.Deadline(60));
        await call.RequestStream.WriteAsync(new StreamTasksRequest
        {
            Tasks = { Enumerable.Range(0, 500).Select(i => Specs.Json("sleep", $"{{\"ms\": {i}}}", tag: (ulong)i)) },
        });
        // The first response may be the credits alone, sent before any task has been read; a result proves that all 500 have arrived.
        var results = new List<TaskResult>();
        while (results.Count == 0)
        {
            Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
            results.AddRange(call.ResponseStream.Current.Results);
        }

        coordinator.Terminate();
        var draining = false;
        await foreach (var response in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            results.AddRange(response.Results);
            if (response.Draining && !draining)
            {
                draining = true;
                // Late work is rejected with a reason, while accepted work goes on.
                await call.RequestStream.WriteAsync(
                    new StreamTasksRequest { Tasks = { Specs.Json("sleep", """{"ms": 1}""", tag: 9_999) } });
            }
        }

        Assert.True(draining);
        var ends = results.GroupBy(result => (result.State, result.Error?.Reason, result.Error?.Message))
            .Select(end => $"{end.Count()} × {end.Key}");
        Assert.True(results.Count(result => result.State == TaskState.Succeeded) == 500, string.Join("\n", ends));
        Assert.Equal(ErrorReason.Draining, results.Single(result => result.Tag == 9_999).Error.Reason);
        Assert.Equal(0, await coordinator.WaitForExitAsync());
    }

    [Fact]
    public async Task A_second_signal_stops_at_once()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare, "--allow-chaos"]);
        var id = (await coordinator.SubmitAsync(Specs.Json("hang"))).Single();
        await coordinator.WaitUntilRunningAsync(id);
        coordinator.Terminate();
        await coordinator.WaitForEventAsync("coordinator.draining");
        coordinator.Terminate();
        Assert.Equal(0, await coordinator.WaitForExitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_taken_port_is_one_clear_line()
    {
        await using var first = await CoordinatorProcess.StartAsync();
        var port = new Uri(first.GrpcAddress).Port;
        var (code, output) = await CommandLine.RunAsync(
            "serve", "--grpc-port", $"{port}", "--http-port", "0", "--data-dir", Path.Combine(first.DataDirectory, "second"));
        Assert.NotEqual(0, code);
        Assert.Contains($"{port}", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }
}

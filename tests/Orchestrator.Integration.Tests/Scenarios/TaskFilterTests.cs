using Google.Protobuf.WellKnownTypes;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Scenarios;

/// <summary>The conditions of ListTasks, one by one and together.</summary>
public sealed class TaskFilterTests
{
    [Fact]
    public async Task Tasks_are_listed_by_every_condition()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--allow-chaos");
        var labelled = Specs.Json("echo", "1", options: new TaskOptions { Labels = { ["team"] = "Imports", ["tier"] = "1" } });
        var other = Specs.Json("echo", "2", options: new TaskOptions { Labels = { ["team"] = "exports" } });
        var slow = Specs.Json("sleep", """{"ms": 300}""");
        var ids = await coordinator.SubmitAsync(labelled, other, slow);
        await coordinator.WaitAsync([.. ids]);
        var between = await NowAsync(coordinator);
        var failing = Specs.Json("fibonacci", """{"n": -7}""");
        failing.RequestId = "nightly-7";
        var failed = (await coordinator.SubmitAsync(failing)).Single();
        await coordinator.WaitAsync([failed]);
        var queued = await coordinator.SubmitAsync(
            Specs.Json("spin", """{"ms": 60000}"""), Specs.Json("spin", """{"ms": 60000}"""), Specs.Json("spin", """{"ms": 60000}"""));
        await coordinator.WaitUntilRunningAsync(queued[0]);

        await FindsAsync(new ListTasksRequest { Labels = { ["team"] = "Imports" } }, ids[0]);
        await FindsAsync(new ListTasksRequest { Labels = { ["team"] = "Imports", ["tier"] = "2" } });
        await FindsAsync(new ListTasksRequest { Text = "imports" }, ids[0]);
        await FindsAsync(new ListTasksRequest { Text = "PORTS", Handler = "echo" }, ids[1], ids[0]);
        await FindsAsync(new ListTasksRequest { Text = "nightly" }, failed);
        await FindsAsync(new ListTasksRequest { MinDuration = Specs.Seconds(0.3), States = { TaskState.Succeeded } }, ids[2]);
        await FindsAsync(new ListTasksRequest { Since = between }, queued[2], queued[1], queued[0], failed);
        await FindsAsync(new ListTasksRequest { Until = between }, ids[2], ids[1], ids[0]);
        await FindsAsync(new ListTasksRequest { Worker = "worker-1", Handler = "echo" }, ids[1], ids[0]);
        await FindsAsync(new ListTasksRequest { Worker = "worker-1#1", Handler = "echo" }, ids[1], ids[0]);
        await FindsAsync(new ListTasksRequest { Worker = "worker" });
        await FindsAsync(new ListTasksRequest { States = { TaskState.Running } }, queued[0]);
        await FindsAsync(new ListTasksRequest { States = { TaskState.Queued }, Handler = "spin" }, queued[2], queued[1]);

        var all = await coordinator.Tasks.ListTasksAsync(new ListTasksRequest(), CoordinatorProcess.Deadline());
        var client = all.Tasks.Single(task => task.TaskId == ids[0]).Client;
        Assert.NotEmpty(client);
        await FindsAsync(new ListTasksRequest { Client = client, Handler = "sleep" }, ids[2]);
        await FindsAsync(new ListTasksRequest { Client = client + "x" });
        var waiting = all.Tasks.Single(task => task.TaskId == queued[2]).WaitingFor;
        Assert.Matches("^(waits for a CPU lane|was sent ahead to worker-1#1)", waiting);
        Assert.Empty(all.Tasks.Single(task => task.TaskId == queued[0]).WaitingFor);

        async Task FindsAsync(ListTasksRequest request, params ulong[] expected)
        {
            request.Total = true;
            var found = await coordinator.Tasks.ListTasksAsync(request, CoordinatorProcess.Deadline());
            Assert.Equal(expected, found.Tasks.Select(task => task.TaskId));
            Assert.Equal(expected.Length, found.Total);
            Assert.False(found.TotalIsMinimum);
        }
    }

    private static async Task<Timestamp> NowAsync(CoordinatorProcess coordinator)
    {
        using var watch = coordinator.Admin.WatchTelemetry(new WatchTelemetryRequest(), CoordinatorProcess.Deadline());
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        return watch.ResponseStream.Current.At;
    }
}

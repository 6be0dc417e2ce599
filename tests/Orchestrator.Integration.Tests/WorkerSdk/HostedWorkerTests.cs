using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.WorkerSdk;

/// <summary>Part 7, A: a worker that is a Generic Host.</summary>
public sealed class HostedWorkerTests
{
    [Fact]
    public async Task Its_handlers_use_the_hosts_services_and_log_and_it_ends_with_its_worker()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            ["--workers", "1", "--hot-spares", "0", .. HostedTestWorker.Arguments(Environment.ProcessPath!)]);
        var id = (await coordinator.SubmitAsync(Specs.Json(HostedTestWorker.GreetHandler, "\"World\""))).Single();
        var result = (await coordinator.WaitAsync([id])).Single();
        Assert.Equal((TaskState.Succeeded, "Good day, World: True"), (result.State, result.Output?.Json.StringValue));
        Assert.Equal(["greets World"], await LogAsync(coordinator, id));

        var worker = (await coordinator.WorkersAsync()).Single();
        await coordinator.Admin.RecycleWorkersAsync(new RecycleWorkersRequest(), CoordinatorProcess.Deadline());
        var end = await coordinator.WaitForEventAsync("worker.exited", item => item.Subject == $"{worker.Name}#{worker.Incarnation}");
        Assert.Contains("exited with code 0", end.Message, StringComparison.Ordinal);
    }

    private static async Task<List<string>> LogAsync(CoordinatorProcess coordinator, ulong id)
    {
        var log = new List<string>();
        using var watch = coordinator.Tasks.WatchTasks(new WatchTasksRequest { TaskIds = { id } }, CoordinatorProcess.Deadline());
        await foreach (var response in watch.ResponseStream.ReadAllAsync())
        {
            if (response.Event.Log is { } line)
                log.Add(line.Message);
        }

        return log;
    }
}

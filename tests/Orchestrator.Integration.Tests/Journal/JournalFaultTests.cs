using Grpc.Core;
using Grpc.Health.V1;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>F18: the journal's file cannot grow any more. The kernel says so for real: the process's file size is limited while it runs.</summary>
public sealed class JournalFaultTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-journal-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task The_first_failed_write_is_the_last_and_memory_goes_on()
    {
        await using (var coordinator = await CoordinatorProcess.StartInAsync(_directory, "--workers", "1", "--hot-spares", "0"))
        {
            coordinator.ExpectError("The journal has failed");
            var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
            await CreateAsync(queues, "durable", Durability.Process);
            await CreateAsync(queues, "memory", Durability.Memory);
            await PutAsync(queues, "durable", "before");
            var health = new Health.HealthClient(coordinator.Invoker);
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await HealthAsync(health, "orchestrator.journal"));

            ProcessLimits.SetFileSize(coordinator.Pid, 4_096);
            await RefusesAsync(Put(queues, "durable", "lost"), StatusCode.Unavailable, "JOURNAL_FAILED");
            // There is room again, but what the kernel has done with the write that failed nobody knows.
            ProcessLimits.SetFileSize(coordinator.Pid, ulong.MaxValue);
            await RefusesAsync(Put(queues, "durable", "later"), StatusCode.Unavailable, "JOURNAL_FAILED", "restarted");
            await RefusesAsync(
                queues.GetAsync(new GetRequest { Queue = "durable", Timeout = Specs.Seconds(0) }, Soon), StatusCode.Unavailable, "JOURNAL_FAILED");
            await RefusesAsync(
                coordinator.Tasks.SubmitTasksAsync(
                    new SubmitTasksRequest { Tasks = { Specs.Json("echo", "1", new TaskOptions { Durability = Durability.Disk }) } }, Soon),
                StatusCode.Unavailable,
                "JOURNAL_FAILED");
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, await HealthAsync(health, "orchestrator.journal"));
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await HealthAsync(health, ""));
            using var http = new HttpClient();
            Assert.StartsWith("degraded", await http.GetStringAsync(coordinator.HttpAddress + "/readyz", TestContext.Current.CancellationToken), StringComparison.Ordinal);

            await PutAsync(queues, "memory", "still");
            Assert.Equal("still", Read((await queues.GetAsync(new GetRequest { Queue = "memory" }, Soon)).Items.Single().Body));
            var echo = await coordinator.Tasks.RunTaskAsync(new RunTaskRequest { Task = Specs.Json("echo", "7") }, Soon);
            Assert.Equal(7, echo.Result.Output.Json.NumberValue);
        }

        await using var next = await CoordinatorProcess.StartInAsync(_directory, "--workers", "0", "--hot-spares", "0");
        var again = new QueueService.QueueServiceClient(next.Invoker);
        Assert.Equal("before", Read((await again.GetAsync(new GetRequest { Queue = "durable" }, Soon)).Items.Single().Body));
        Assert.Equal(WaitStatus.Timeout, (await again.GetAsync(new GetRequest { Queue = "durable", Timeout = Specs.Seconds(0) }, Soon)).Status);
    }

    [Fact]
    public async Task A_damaged_journal_refuses_the_start_with_one_line()
    {
        await using (var coordinator = await CoordinatorProcess.StartInAsync(_directory, "--workers", "0", "--hot-spares", "0"))
            await CreateAsync(new QueueService.QueueServiceClient(coordinator.Invoker), "durable", Durability.Disk);
        var journal = Path.Combine(_directory, "journal.db");
        File.WriteAllBytes(journal, File.ReadAllBytes(journal)[..5_000]);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => CoordinatorProcess.StartInAsync(_directory, "--workers", "0", "--hot-spares", "0"));
        Assert.Contains(journal, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error.Message, StringComparison.Ordinal);
        Assert.Equal(5_000, new FileInfo(journal).Length);
    }

    private static async Task CreateAsync(QueueService.QueueServiceClient queues, string name, Durability durability) =>
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = name, Durability = durability } }, Soon);

    private static AsyncUnaryCall<PutResponse> Put(QueueService.QueueServiceClient queues, string queue, string text) =>
        queues.PutAsync(new PutRequest { Queue = queue, Items = { new QueueItem { Body = Text(text) } } }, Soon);

    private static async Task PutAsync(QueueService.QueueServiceClient queues, string queue, string text) => await Put(queues, queue, text);

    private static async Task<HealthCheckResponse.Types.ServingStatus> HealthAsync(Health.HealthClient health, string service) =>
        (await health.CheckAsync(new HealthCheckRequest { Service = service }, Soon)).Status;
}

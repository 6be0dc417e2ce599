using Grpc.Core;
using Grpc.Health.V1;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>
/// F18: the journal's file cannot grow, cannot be written or flushed, or is flushed late. The faults come from the kernel: the process's
/// file size is limited while it runs, or its system calls fail or hang.
/// </summary>
public sealed class JournalFaultTests : IDisposable
{
    private const string Writes = "pwrite64,write";
    private const string Flushes = "fsync,fdatasync";

    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-journal-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task The_first_failed_write_is_the_last_and_memory_goes_on()
    {
        await using (var coordinator = await StartAsync())
        {
            coordinator.ExpectError("The journal has failed");
            var queues = await PrepareAsync(coordinator, Durability.Process);
            ProcessLimits.SetFileSize(coordinator.Pid, 4_096);
            await RefusesAsync(Put(queues, "durable", "lost"), StatusCode.Unavailable, "JOURNAL_FAILED");
            // There is room again, but the kernel's treatment of the failed write is unknown.
            ProcessLimits.SetFileSize(coordinator.Pid, ulong.MaxValue);
            await AssertHasFailedAsync(coordinator);
        }

        Assert.Equal(["before"], await ReadAgainAsync());
    }

    [Theory]
    [InlineData(Writes, "EIO", Durability.Process)]
    [InlineData(Writes, "ENOSPC", Durability.Process)]
    [InlineData(Writes, "ENOSPC", Durability.Disk)]
    [InlineData(Flushes, "EIO", Durability.Disk)]
    [InlineData(Flushes, "ENOSPC", Durability.Disk)]
    public async Task What_the_kernel_refuses_once_is_refused_until_a_restart(string calls, string error, Durability level)
    {
        Assert.SkipWhen(SyscallFaults.Missing is not null, SyscallFaults.Missing ?? "");
        await using (var coordinator = await StartAsync())
        {
            coordinator.ExpectError("The journal has failed");
            var queues = await PrepareAsync(coordinator, level);
            await using (var faults = await SyscallFaults.FailAsync(coordinator.Pid, calls, error, JournalFiles()))
            {
                await RefusesAsync(Put(queues, "durable", "lost"), StatusCode.Unavailable, "JOURNAL_FAILED");
                Assert.True(await faults.EndAsync() > 0);
            }

            await AssertHasFailedAsync(coordinator);
        }

        // Written data that could not be flushed may exist; it was not acknowledged.
        var left = await ReadAgainAsync();
        Assert.Equal("before", left[0]);
        Assert.Empty(left.Skip(1).Except(calls == Flushes ? ["lost"] : []));
    }

    /// <summary>Part 5, 5: the mark that distinguishes a loss from an unfinished write is as essential as the log.</summary>
    [Theory]
    [InlineData(Writes, "ENOSPC", Durability.Process)]
    [InlineData(Flushes, "EIO", Durability.Disk)]
    public async Task A_mark_that_cannot_be_written_fails_the_journal(string calls, string error, Durability level)
    {
        Assert.SkipWhen(SyscallFaults.Missing is not null, SyscallFaults.Missing ?? "");
        await using (var coordinator = await StartAsync())
        {
            coordinator.ExpectError("The journal has failed");
            var queues = await PrepareAsync(coordinator, level);
            await using (var faults = await SyscallFaults.FailAsync(
                coordinator.Pid, calls, error, Path.Combine(_directory, "journal.db-mark")))
            {
                // The mark is written before the response, and flushed a moment later.
                if (calls == Writes)
                    await RefusesAsync(Put(queues, "durable", "more"), StatusCode.Unavailable, "JOURNAL_FAILED");
                else
                    await PutAsync(queues, "durable", "more");
                await coordinator.WaitForEventAsync("journal.failed");
                Assert.True(await faults.EndAsync() > 0);
            }

            await AssertHasFailedAsync(coordinator);
        }

        Assert.Equal(["before", "more"], await ReadAgainAsync());
    }

    [Fact]
    public async Task A_slow_flush_delays_the_acknowledgement_and_nothing_else()
    {
        Assert.SkipWhen(SyscallFaults.Missing is not null, SyscallFaults.Missing ?? "");
        await using (var coordinator = await StartAsync())
        {
            var queues = await PrepareAsync(coordinator, Durability.Disk);
            Task<PutResponse> late;
            await using (var faults = await SyscallFaults.HangAsync(coordinator.Pid, Flushes, JournalFiles()))
            {
                late = Put(queues, "durable", "late").ResponseAsync;
                await UntilAsync(async () =>
                {
                    await AssertMemoryGoesOnAsync(coordinator);
                    return SyscallFaults.IsStopped(coordinator.Pid, "journal");
                });
                // Now the journal hangs in its flush. Calls without a flush go on; an item that is not on disk is neither acknowledged to
                // its putter nor delivered.
                var taking = queues.GetAsync(new GetRequest { Queue = "durable" }, Soon).ResponseAsync;
                for (var i = 0; i < 20; i++)
                    await AssertMemoryGoesOnAsync(coordinator);
                Assert.False(late.IsCompleted || taking.IsCompleted);
                Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await HealthAsync(coordinator, "orchestrator.journal"));
                Assert.True(await faults.EndAsync() > 0);
                Assert.Equal(WaitStatus.Ok, (await late).Status);
                Assert.Equal("before", Read((await taking).Items.Single().Body));
            }

            await PutAsync(queues, "durable", "after");
            await coordinator.KillAndWaitAsync();
        }

        Assert.Equal(["late", "after"], await ReadAgainAsync());
    }

    [Fact]
    public async Task A_kill_during_a_slow_flush_loses_nothing_that_was_acknowledged()
    {
        Assert.SkipWhen(SyscallFaults.Missing is not null, SyscallFaults.Missing ?? "");
        await using (var coordinator = await StartAsync())
        {
            var queues = await PrepareAsync(coordinator, Durability.Disk);
            await using var faults = await SyscallFaults.HangAsync(coordinator.Pid, Flushes, JournalFiles());
            var late = Put(queues, "durable", "late").ResponseAsync;
            await UntilAsync(async () =>
            {
                await AssertMemoryGoesOnAsync(coordinator);
                return SyscallFaults.IsStopped(coordinator.Pid, "journal");
            });
            coordinator.Kill();
            faults.Abandon();
            await coordinator.KillAndWaitAsync();
            await Assert.ThrowsAsync<RpcException>(() => late);
        }

        var left = await ReadAgainAsync();
        Assert.Equal("before", left[0]);
        Assert.Empty(left.Skip(1).Except(["late"]));
    }

    [Fact]
    public async Task A_damaged_journal_refuses_the_start_with_one_line()
    {
        await using (var coordinator = await CoordinatorProcess.StartInAsync(_directory, "--workers", "0", "--hot-spares", "0"))
            await CreateAsync(new QueueService.QueueServiceClient(coordinator.Invoker), "durable", Durability.Disk);
        var journal = Path.Combine(_directory, "journal.db");
        File.WriteAllBytes(journal, File.ReadAllBytes(journal)[..5_000]);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => CoordinatorProcess.StartInAsync(_directory, "--workers", "0", "--hot-spares", "0"));
        Assert.Contains(journal, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error.Message, StringComparison.Ordinal);
        Assert.Equal(5_000, new FileInfo(journal).Length);
    }

    private Task<CoordinatorProcess> StartAsync() => CoordinatorProcess.StartInAsync(_directory, "--workers", "1", "--hot-spares", "0");

    private string[] JournalFiles() => [Path.Combine(_directory, "journal.db"), Path.Combine(_directory, "journal.db-wal")];

    /// <summary>A durable queue that holds one item, and one in memory.</summary>
    private static async Task<QueueService.QueueServiceClient> PrepareAsync(CoordinatorProcess coordinator, Durability level)
    {
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await CreateAsync(queues, "durable", level);
        await CreateAsync(queues, "memory", Durability.Memory);
        await PutAsync(queues, "durable", "before");
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await HealthAsync(coordinator, "orchestrator.journal"));
        return queues;
    }

    /// <summary>The fault is over, and durable operations stay rejected.</summary>
    private static async Task AssertHasFailedAsync(CoordinatorProcess coordinator)
    {
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await RefusesAsync(Put(queues, "durable", "later"), StatusCode.Unavailable, "JOURNAL_FAILED", "restarted");
        await RefusesAsync(
            queues.GetAsync(
                new GetRequest { Queue = "durable", Timeout = Specs.Seconds(0) }, Soon), StatusCode.Unavailable, "JOURNAL_FAILED");
        await RefusesAsync(
            coordinator.Tasks.SubmitTasksAsync(
                new SubmitTasksRequest { Tasks = { Specs.Json("echo", "1", new TaskOptions { Durability = Durability.Disk }) } }, Soon),
            StatusCode.Unavailable,
            "JOURNAL_FAILED");
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, await HealthAsync(coordinator, "orchestrator.journal"));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, await HealthAsync(coordinator, ""));
        using var http = new HttpClient();
        Assert.StartsWith("degraded", await http.GetStringAsync(
            coordinator.HttpAddress + "/readyz", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await AssertMemoryGoesOnAsync(coordinator);
    }

    private static async Task AssertMemoryGoesOnAsync(CoordinatorProcess coordinator)
    {
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await PutAsync(queues, "memory", "still");
        Assert.Equal("still", Read((await queues.GetAsync(new GetRequest { Queue = "memory" }, Soon)).Items.Single().Body));
        var echo = await coordinator.Tasks.RunTaskAsync(new RunTaskRequest { Task = Specs.Json("echo", "7") }, Soon);
        Assert.Equal(7, echo.Result.Output.Json.NumberValue);
    }

    /// <summary>The durable queue as the next run finds it.</summary>
    private async Task<IReadOnlyList<string>> ReadAgainAsync()
    {
        await using var next = await CoordinatorProcess.StartInAsync(_directory, "--workers", "0", "--hot-spares", "0");
        var queues = new QueueService.QueueServiceClient(next.Invoker);
        return [.. (await queues.GetAsync(
            new GetRequest { Queue = "durable", MaxItems = 100 }, Soon)).Items.Select(item => Read(item.Body))];
    }

    private static async Task CreateAsync(QueueService.QueueServiceClient queues, string name, Durability durability) =>
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = name, Durability = durability } }, Soon);

    private static AsyncUnaryCall<PutResponse> Put(QueueService.QueueServiceClient queues, string queue, string text) =>
        queues.PutAsync(new PutRequest { Queue = queue, Items = { new QueueItem { Body = Text(text) } } }, Soon);

    private static async Task PutAsync(QueueService.QueueServiceClient queues, string queue, string text) => await Put(queues, queue, text);

    private static async Task<HealthCheckResponse.Types.ServingStatus> HealthAsync(CoordinatorProcess coordinator, string service) =>
        (await new Health.HealthClient(coordinator.Invoker).CheckAsync(new HealthCheckRequest { Service = service }, Soon)).Status;
}

using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// Part 5, 2: a disk that is really full. A store to a page of a mapped file that the file system cannot back would end the process by
/// SIGBUS, so every mapped file has all its blocks from the start.
/// </summary>
[Trait("Kind", "slow")]
public sealed class FullDiskTests(ITestOutputHelper output)
{
    private const string NoRoom = "No space left on device";

    /// <summary>Part 5, 2: the inventory: no process of the family maps a writable file that has a page without a block.</summary>
    [Fact]
    public async Task Every_file_that_is_mapped_for_writing_has_all_its_blocks()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync([.. CoordinatorProcess.HotSpare]);
        await new QueueService.QueueServiceClient(coordinator.Invoker).CreateQueueAsync(
            new CreateQueueRequest { Spec = new QueueSpec { Name = "durable", Durability = Durability.Disk } }, Soon);
        var mapped = coordinator.Family().SelectMany(WritableMaps).Distinct().ToArray();
        output.WriteLine(string.Join('\n', mapped));
        // Two workers and the spare.
        Assert.Equal(3, mapped.Count(path => path.EndsWith(".rec", StringComparison.Ordinal)));
        Assert.All(mapped, path =>
        {
            var (blocks, size) = Allocated(path);
            Assert.True(blocks >= size, $"{path} is {size} bytes long and has blocks for {blocks}");
        });
    }

    /// <summary>Part 5, 2: the disk is full before any worker has had its first task.</summary>
    [Fact]
    public async Task The_first_task_of_each_worker_runs_on_a_full_disk()
    {
        Assert.SkipWhen(SmallDisk.Missing is not null, SmallDisk.Missing ?? "");
        using var disk = new SmallDisk(24);
        await using var coordinator = await CoordinatorProcess.StartInAsync(disk.Directory);
        disk.Fill();
        var results = await coordinator.StreamAsync(
            Enumerable.Range(0, 200).Select(i => Specs.Json("sleep", """{"ms": 20}""", tag: (ulong)i)));
        Assert.All(results, result => Assert.Equal(TaskState.Succeeded, result.State));
        Assert.Equal(2, results.Select(result => result.Worker).Distinct().Count());
    }

    /// <summary>Part 5, 2: a successor that finds no room is reported as the cause, is retried, and serves once there is room.</summary>
    [Fact]
    public async Task A_worker_that_dies_on_a_full_disk_is_replaced_once_there_is_room()
    {
        Assert.SkipWhen(SmallDisk.Missing is not null, SmallDisk.Missing ?? "");
        using var disk = new SmallDisk(24);
        await using var coordinator = await CoordinatorProcess.StartInAsync(disk.Directory, "--workers", "2", "--hot-spares", "0");
        var victim = (await coordinator.WorkersAsync())[0];
        // The blocks of the dead worker's recorder would suffice for its successor's, so they stay in use.
        disk.Hold(
            Directory.GetFiles(Path.Combine(disk.Directory, "run"), $"w-{victim.Incarnation}.rec", SearchOption.AllDirectories).Single());
        disk.Fill();
        Signals.Send(victim.Pid, Signals.Kill);
        var failed = await coordinator.WaitForEventAsync("worker.start_failed", item => item.Subject == victim.Name);
        Assert.Contains("cannot reserve 16384 bytes for ", failed.Message, StringComparison.Ordinal);
        Assert.Contains(NoRoom, failed.Message, StringComparison.Ordinal);
        // More often than a worker may die early: the worker is not at fault here.
        for (var i = 0; i < 5; i++)
            failed = await coordinator.WaitForEventAsync("worker.start_failed", item => item.Subject == victim.Name, failed.Sequence);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
        disk.Empty();
        await coordinator.WaitForEventAsync(
            "worker.ready", item => item.Subject.StartsWith(victim.Name, StringComparison.Ordinal), failed.Sequence);
        Assert.All(await coordinator.WorkersAsync(), worker => Assert.Equal(WorkerState.Ready, worker.State));
    }

    /// <summary>Part 5, 2: the journal takes the last block.</summary>
    [Fact]
    public async Task A_journal_that_fills_the_disk_fails_alone()
    {
        Assert.SkipWhen(SmallDisk.Missing is not null, SmallDisk.Missing ?? "");
        using var disk = new SmallDisk(24);
        await using var coordinator = await CoordinatorProcess.StartInAsync(disk.Directory);
        coordinator.ExpectError("The journal has failed");
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await queues.CreateQueueAsync(
            new CreateQueueRequest { Spec = new QueueSpec { Name = "durable", Durability = Durability.Process } }, Soon);
        var body = new Payload { Data = ByteString.CopyFrom(new byte[512 * 1_024]) };
        var full = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            for (var i = 0; i < 100; i++)
                await queues.PutAsync(new PutRequest { Queue = "durable", Items = { new QueueItem { Body = body } } }, Soon);
        });
        Assert.Equal(StatusCode.Unavailable, full.StatusCode);
        disk.Fill();
        var results = await coordinator.StreamAsync(
            Enumerable.Range(0, 200).Select(i => Specs.Json("sleep", """{"ms": 20}""", tag: (ulong)i)));
        Assert.All(results, result => Assert.Equal(TaskState.Succeeded, result.State));
        // Death and replacement go on, too.
        var victim = (await coordinator.WorkersAsync())[0];
        Signals.Send(victim.Pid, Signals.Kill);
        await coordinator.WaitForEventAsync("worker.lost");
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
    }

    /// <summary>Part 5, 2: a start with too little room says so, whichever file did not fit.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(12)]
    [InlineData(24)]
    [InlineData(48)]
    [InlineData(64)]
    [InlineData(96)]
    public async Task A_start_with_little_room_is_refused_in_one_line_or_works(int kilobytes)
    {
        Assert.SkipWhen(SmallDisk.Missing is not null, SmallDisk.Missing ?? "");
        using var disk = new SmallDisk(2);
        disk.Fill(leave: kilobytes * 1_024);
        try
        {
            await using var coordinator = await CoordinatorProcess.StartInAsync(disk.Directory);
            coordinator.ExpectError("is given up after");
            output.WriteLine(coordinator.Output);
            foreach (var worker in await coordinator.WorkersAsync())
            {
                if (worker.State == WorkerState.Failed)
                    Assert.Contains(NoRoom, worker.LastExit, StringComparison.Ordinal);
            }
        }
        catch (InvalidOperationException exception)
            when (exception.Message.StartsWith("the coordinator ended with 1: ", StringComparison.Ordinal))
        {
            output.WriteLine(exception.Message);
            Assert.Single(exception.Message.Trim().Split('\n'));
            Assert.Contains(
                NoRoom, exception.Message.Replace("database or disk is full", NoRoom, StringComparison.Ordinal), StringComparison.Ordinal);
        }
    }

    private static IEnumerable<string> WritableMaps(int pid) =>
        from line in File.ReadLines($"/proc/{pid}/maps")
        let fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries)
        where fields.Length == 6 && fields[1][1] == 'w' && fields[1][3] == 's'
        let path = fields[5]
        // The kernel names anonymous memory, too.
        where File.Exists(path) && !path.StartsWith("/dev/", StringComparison.Ordinal)
        select path;

    private static (long Blocks, long Size) Allocated(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%b %B %s", path]) { RedirectStandardOutput = true })!;
        var numbers = stat.StandardOutput.ReadToEnd().Split(' ').Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return (numbers[0] * numbers[1], numbers[2]);
    }
}

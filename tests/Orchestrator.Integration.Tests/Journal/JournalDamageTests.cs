using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Journal;

/// <summary>
/// Part 5, 5: acknowledged data that is missing prevents the start; unfinished writes do not. Files that disappear while the journal is
/// open are reported at once.
/// </summary>
[Trait("Kind", "slow")]
public sealed class JournalDamageTests : IDisposable
{
    private const int Puts = 500;
    private const int FrameBytes = 24 + 4_096;
    private const string Log = "journal.db-wal";
    private const string Mark = "journal.db-mark";

    private readonly string _root = System.IO.Directory.CreateTempSubdirectory("orchestrator-damage-").FullName;

    public void Dispose() => System.IO.Directory.Delete(_root, recursive: true);

    /// <summary>
    /// Part 5, 5: the reported case and its variants: one bit, a cut and a deletion of each file, an older file put in its place.
    /// </summary>
    [Fact]
    public async Task What_was_acknowledged_and_is_missing_refuses_the_start()
    {
        var (early, killed) = await KilledAfterPutsAsync();
        Assert.True(new FileInfo(Path.Combine(killed, Log)).Length > 20 * FrameBytes);
        var end = new FileInfo(Path.Combine(killed, Log)).Length;
        (string What, string Says, Action<string> Damage)[] damages =
        [
            ("the log's header", Log, at => JournalFolder.Flip(at, Log, 20)),
            ("the header of a frame", "frame 3", at => JournalFolder.Flip(at, Log, 32 + (2 * FrameBytes) + 9)),
            ("the checksum of a frame", "frame 3", at => JournalFolder.Flip(at, Log, 32 + (2 * FrameBytes) + 17)),
            ("a page", "frame 10 at byte 37112 has a wrong checksum", at => JournalFolder.Flip(at, Log, 32 + (9 * FrameBytes) + 2_000)),
            ("the last page", Log, at => JournalFolder.Flip(at, Log, end - 1)),
            ("half of the log", "ends within frame", at => JournalFolder.Cut(at, Log, end / 2)),
            ("the last byte of the log", "ends within frame", at => JournalFolder.Cut(at, Log, end - 1)),
            ("all of the log", "journal.db-wal is missing or empty", at => JournalFolder.Cut(at, Log, 0)),
            ("the log", "journal.db-wal is missing or empty", at => File.Delete(Path.Combine(at, Log))),
            ("the database", "is missing", at => File.Delete(Path.Combine(at, "journal.db"))),
            ("all of the database", "is empty", at => JournalFolder.Cut(at, "journal.db", 0)),
            ("the mark", "journal.db-mark, which says how far", at => File.Delete(Path.Combine(at, Mark))),
            ("half of the mark", "is cut off", at => JournalFolder.Cut(at, Mark, 1_000)),
            ("both places of the mark", "is damaged", at =>
            {
                JournalFolder.Flip(at, Mark, 50);
                JournalFolder.Flip(at, Mark, 512 + 50);
            }),
            ("the log, but for an older one", Log, at => File.Copy(Path.Combine(early, Log), Path.Combine(at, Log), overwrite: true)),
            ("all but the mark, for older ones", "the end of the journal is lost", at =>
            {
                File.Copy(Path.Combine(early, "journal.db"), Path.Combine(at, "journal.db"), overwrite: true);
                File.Delete(Path.Combine(at, Log));
            }),
            ("all but the mark, for another journal", "another journal", at =>
            {
                var other = Path.Combine(_root, "other");
                System.IO.Directory.CreateDirectory(other);
                using (Open(other))
                {
                }

                File.Copy(Path.Combine(other, "journal.db"), Path.Combine(at, "journal.db"), overwrite: true);
                File.Delete(Path.Combine(at, Log));
            }),
        ];
        foreach (var (what, says, damage) in damages)
        {
            var at = CopyOf(killed);
            damage(at);
            var before = Files(at);
            var refused = Assert.Throws<JournalException>(() => Open(at));
            Assert.True(refused.Message.Contains(says, StringComparison.Ordinal), $"{what}: {refused.Message}");
            Assert.Contains(Path.Combine(at, "journal.db"), refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refused.Message);
            var verified = Assert.Throws<JournalException>(() => JournalTool.Verify(at));
            Assert.True(what == "the database" || verified.Message == refused.Message, $"{what}: {verified.Message}");
            Assert.Throws<JournalException>(() => JournalTool.Compact(at));
            Assert.Equal(before, Files(at));
        }

        Assert.Equal(Puts, JournalTool.Verify(killed).Items);
    }

    /// <summary>Part 5, 5: what a crash leaves unfinished behind the last acknowledgement is not damage.</summary>
    [Fact]
    public async Task A_torn_tail_is_no_damage()
    {
        var (_, killed) = await KilledAfterPutsAsync();
        var end = new FileInfo(Path.Combine(killed, Log)).Length;
        var frame = File.ReadAllBytes(Path.Combine(killed, Log))[^FrameBytes..];
        (string What, Action<string> Tear)[] tears =
        [
            ("garbage behind it", at => Append(at, new byte[5_000])),
            ("half a frame behind it", at => Append(at, frame[..2_000])),
            ("a frame with a wrong checksum behind it", at => Append(at, frame)),
            ("the place of the mark that was being written", at => JournalFolder.Flip(at, Mark, NewerPlace(at) + 50)),
            ("the mark of what is only written", at => JournalFolder.Flip(at, Mark, 1_024 + 50)),
            ("the index of the log", at => File.Delete(Path.Combine(at, "journal.db-shm"))),
        ];
        foreach (var (what, tear) in tears)
        {
            var at = CopyOf(killed);
            tear(at);
            Assert.True(JournalTool.Verify(at).Items == Puts, what);
            using (Open(at))
            {
            }

            Assert.True(JournalTool.Verify(at).Items == Puts, what);
        }

        Assert.True(end > 0);
    }

    /// <summary>
    /// Part 5, 5: written but unflushed data survives the death of the process, and need not survive that of the machine.
    /// </summary>
    [Fact]
    public async Task What_was_only_written_must_survive_the_process_and_not_the_machine()
    {
        var (_, killed) = await KilledAfterPutsAsync(Durability.Process);
        var middle = new FileInfo(Path.Combine(killed, Log)).Length * 3 / 4;
        var sameBoot = CopyOf(killed);
        JournalFolder.Cut(sameBoot, Log, middle);
        Assert.Contains("ends within frame", Assert.Throws<JournalException>(() => Open(sameBoot)).Message, StringComparison.Ordinal);
        var nextBoot = CopyOf(killed);
        JournalFolder.Cut(nextBoot, Log, middle);
        // As after a reboot: the mark of written data is no longer valid.
        JournalFolder.Flip(nextBoot, Mark, 1_024 + 32);
        using (Open(nextBoot))
        {
        }

        Assert.InRange(JournalTool.Verify(nextBoot).Items, 1, Puts - 1);
    }

    /// <summary>Part 5, 5: a journal of a version without the mark is accepted as it is, once.</summary>
    [Fact]
    public async Task A_journal_of_an_earlier_version_is_taken_once()
    {
        var (_, killed) = await KilledAfterPutsAsync();
        JournalDatabase.ForgetMark(Path.Combine(killed, "journal.db"));
        File.Delete(Path.Combine(killed, Mark));
        Assert.Equal(Puts, JournalTool.Verify(killed).Items);
        using (Open(killed))
        {
        }

        var at = CopyOf(killed);
        File.Delete(Path.Combine(at, Mark));
        Assert.Throws<JournalException>(() => Open(at));
        Assert.Equal(Puts, JournalTool.Verify(killed).Items);
    }

    /// <summary>
    /// Part 5, 5: an operator who has lost the journal's end, and has no copy, may continue with the rest; the start explains how.
    /// </summary>
    [Fact]
    public async Task A_loss_can_be_accepted()
    {
        var (_, killed) = await KilledAfterPutsAsync();
        JournalFolder.Cut(killed, Log, new FileInfo(Path.Combine(killed, Log)).Length / 2);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(killed));
        Assert.Contains("ends within frame", error.Message, StringComparison.Ordinal);
        Assert.Contains("orchestrator journal accept", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error.Message, StringComparison.Ordinal);
        var verify = await CommandLine.RunAsync("journal", "verify", "--data-dir", killed);
        Assert.Equal(1, verify.ExitCode);
        Assert.Contains("ends within frame", verify.Output, StringComparison.Ordinal);
        var accept = await CommandLine.RunAsync("journal", "accept", "--data-dir", killed);
        Assert.True(accept.ExitCode == 0, accept.Output);
        var left = JournalTool.Verify(killed).Items;
        Assert.InRange(left, 1, Puts - 1);
        await using var coordinator = await StartAsync(killed);
        var info = await new QueueService.QueueServiceClient(coordinator.Invoker).GetQueueAsync(new GetQueueRequest { Queue = "q" }, Soon);
        Assert.Equal(left, info.Queue.ReadyItems);
    }

    /// <summary>
    /// Part 5, 5: from the deletion of the log on, nothing that needs the disk is acknowledged, and the service reports the reason unasked.
    /// </summary>
    [Fact]
    public async Task A_log_that_is_deleted_under_a_coordinator_fails_the_journal()
    {
        var at = Path.Combine(_root, "running");
        await using (var coordinator = await StartAsync(at))
        {
            coordinator.ExpectError("The journal has failed");
            var queues = await CreateAsync(coordinator, Durability.Disk);
            await queues.PutAsync(PutOf(0), Soon);
            File.Delete(Path.Combine(at, Log));
            await RefusesAsync(queues.PutAsync(PutOf(1), Soon), StatusCode.Unavailable, "JOURNAL_FAILED");
            var told = await coordinator.WaitForEventAsync("journal.failed");
            Assert.Contains($"{Path.Combine(at, Log)} was deleted", told.Message, StringComparison.Ordinal);
            var health = await new Health.HealthClient(coordinator.Invoker).CheckAsync(
                new HealthCheckRequest { Service = "orchestrator.journal" }, Soon);
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, health.Status);
            await coordinator.KillAndWaitAsync();
        }

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(at));
        Assert.Contains($"{Log} is missing or empty", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Part 5, 5: an idle coordinator reports it within a second. Explicit, since it asserts a time.</summary>
    [Fact(Explicit = true)]
    public async Task A_log_that_is_deleted_is_noticed_within_a_second()
    {
        var at = Path.Combine(_root, "running");
        await using var coordinator = await StartAsync(at);
        coordinator.ExpectError("The journal has failed");
        await CreateAsync(coordinator, Durability.Disk);
        var waiting = coordinator.WaitForEventAsync("journal.failed");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        File.Delete(Path.Combine(at, Log));
        await waiting;
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    private static Task<CoordinatorProcess> StartAsync(string directory) =>
        CoordinatorProcess.StartInAsync(directory, "--workers", "0", "--hot-spares", "0");

    private static ChangeJournal Open(string directory) =>
        ChangeJournal.Open(directory, new JournalOptions(), new MonotonicClock(TimeProvider.System));

    private static async Task<QueueService.QueueServiceClient> CreateAsync(CoordinatorProcess coordinator, Durability durability)
    {
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await queues.CreateQueueAsync(
            new CreateQueueRequest { Spec = new QueueSpec { Name = "q", MaxItems = 10_000, Durability = durability } }, Soon);
        return queues;
    }

    private static PutRequest PutOf(int number) =>
        new()
        {
            Queue = "q",
            Items = { new QueueItem { Body = new Payload { Data = ByteString.CopyFrom(new byte[1_000 + (number % 10)]) } } }
        };

    /// <summary>The files of a coordinator that is killed after this many acknowledged puts, and its files after a tenth of them.</summary>
    private async Task<(string Early, string Killed)> KilledAfterPutsAsync(Durability durability = Durability.Disk)
    {
        var (at, early) = (Path.Combine(_root, "killed"), Path.Combine(_root, "early"));
        await using var coordinator = await StartAsync(at);
        var queues = await CreateAsync(coordinator, durability);
        await PutAsync(queues, Puts / 10);
        JournalFolder.Copy(at, early);
        await PutAsync(queues, Puts - (Puts / 10));
        await coordinator.KillAndWaitAsync();
        return (early, at);
    }

    private static async Task PutAsync(QueueService.QueueServiceClient queues, int count)
    {
        // Many at a time, so that they share flushes.
        foreach (var some in Enumerable.Range(0, count).Chunk(50))
            await Task.WhenAll(some.Select(number => queues.PutAsync(PutOf(number), Soon).ResponseAsync));
    }

    private string CopyOf(string directory, bool nothing = false)
    {
        var copy = System.IO.Directory.CreateDirectory(Path.Combine(_root, $"copy-{Guid.NewGuid():N}")).FullName;
        if (!nothing)
            JournalFolder.Copy(directory, copy);
        return copy;
    }

    /// <summary>
    /// Everything that a refused start must leave unchanged: the files' content except the index, which is only shared memory, and an empty
    /// log, which equals a missing one.
    /// </summary>
    private static List<string> Files(string directory) =>
    [
        .. System.IO.Directory.EnumerateFiles(directory, "journal.db*").Where(path => !path.EndsWith("-shm", StringComparison.Ordinal)
            && !path.EndsWith(".lock", StringComparison.Ordinal) && new FileInfo(path).Length > 0).Order()
            .Select(path =>
                $"{Path.GetFileName(path)} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))}"),
    ];

    private static int NewerPlace(string directory)
    {
        var bytes = File.ReadAllBytes(Path.Combine(directory, Mark));
        return JournalMark.Read(bytes.AsSpan(0, JournalMark.Bytes))!.Value.Sequence > JournalMark.Read(bytes.AsSpan(512,
            JournalMark.Bytes))!.Value.Sequence ? 0 : 512;
    }

    private static void Append(string directory, byte[] bytes)
    {
        using var file = new FileStream(Path.Combine(directory, Log), FileMode.Append);
        file.Write(bytes);
    }
}

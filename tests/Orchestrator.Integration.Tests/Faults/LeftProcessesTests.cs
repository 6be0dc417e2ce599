using System.Diagnostics;
using System.Globalization;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Integration.Tests.Sdk;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// Part 5, 11: the next start removes what a killed coordinator left behind: processes started by handlers, and files of killed runtimes.
/// </summary>
public sealed class LeftProcessesTests : IDisposable
{
    private readonly TemporaryDirectory _data = new();
    private readonly TemporaryDirectory _temporary = new();

    public void Dispose()
    {
        _data.Dispose();
        _temporary.Dispose();
    }

    [Fact]
    public async Task The_next_start_ends_what_handlers_had_started_and_removes_what_runtimes_left()
    {
        int child, escaped;
        await using (var first = await StartAsync())
        {
            child = await SpawnAsync(first, "exec sleep 1000");
            escaped = await SpawnAsync(first, "exec setsid sleep 1000");
            Assert.NotEmpty(Leftovers());
            first.Kill();
            await first.WaitForExitAsync();
            var workers = first.Family().Except([child, escaped]);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            foreach (var pid in workers)
                await ProcessFamily.WaitForEndAsync(pid, limit.Token);
            // The fault: it lives on.
            Assert.True(Directory.Exists($"/proc/{child}"));
            Assert.NotEmpty(Leftovers());
            await using (var second = await StartAsync())
            {
                await ProcessFamily.WaitForEndAsync(child, limit.Token);
                var swept = await second.WaitForEventAsync("coordinator.swept");
                Assert.EndsWith($"pid {child}", swept.Message, StringComparison.Ordinal);
                // As docs/guarantees.md states.
                Assert.True(Directory.Exists($"/proc/{escaped}"));
                Assert.All(Leftovers(), file => Assert.Contains(PidOf(file), second.Family()));
            }

            Signals.Send(escaped, Signals.Kill);
            await ProcessFamily.WaitForEndAsync(escaped, limit.Token);
        }

        // A clean end leaves nothing.
        Assert.Empty(Leftovers());
    }

    [Fact]
    public async Task A_number_that_has_become_somebody_elses_is_left_alone()
    {
        using var directory = new TemporaryDirectory();
        using var stranger = Process.Start("setsid", ["sleep", "1000"]);
        await Waits.UntilAsync(() => Task.FromResult(
            ProcFs.Fields(stranger.Id) is [_, _, var group, ..] && group == stranger.Id.ToString(CultureInfo.InvariantCulture)));
        var path = ProcessMark.PathIn(directory.Path, 1);
        ProcessMark.Write(path, stranger.Id);
        var mark = Assert.Single(ProcessMark.ReadAll(directory.Path));
        Assert.True(mark.IsAlive);
        // A process with another start time, in another session, in another boot.
        foreach (var other in new[] { mark with { Start = mark.Start - 1 }, mark with { Session = "1" }, mark with { Boot = "another" } })
        {
            Assert.Empty(other.Sweep());
            Assert.False(stranger.HasExited);
        }

        Assert.Equal([stranger.Id], mark.Sweep());
        await stranger.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.False(mark.IsAlive);
        Assert.Empty(mark.Sweep());
    }

    [Fact]
    public async Task A_worker_that_ends_leaves_no_note()
    {
        await using var coordinator = await StartAsync();
        var victim = (await coordinator.WorkersAsync()).Single();
        string[] Notes() => Directory.GetFileSystemEntries(Path.Combine(_data.Path, "run"), "*.process", SearchOption.AllDirectories);
        Assert.Equal(2, Notes().Length);
        Signals.Send(victim.Pid, Signals.Kill);
        var lost = await coordinator.WaitForEventAsync("worker.lost");
        await coordinator.WaitForEventAsync("worker.ready", afterSequence: lost.Sequence);
        Assert.Equal(2, Notes().Length);
        Assert.DoesNotContain(Notes(), path => Path.GetFileName(path).StartsWith($"{victim.Incarnation}.", StringComparison.Ordinal));
    }

    /// <summary>Related case: a program with its own pool, whose directory is new each time.</summary>
    [Fact]
    public async Task A_program_with_a_pool_sweeps_what_a_killed_one_left()
    {
        await using (var killed = SampleProcess.Start("Squares", "9223372036854775807"))
        {
            await killed.LineAsync(line => line.StartsWith("100 ", StringComparison.Ordinal));
            // With the start times: an earlier process of the same number may have left files, too, which nothing sweeps.
            var names = killed.Family().Select(pid => $"*-{pid}-{ProcFs.StartTicks(pid)}-*").ToArray();
            Assert.Contains(names, name => Directory.GetFiles(Path.GetTempPath(), name).Length > 0);
            killed.Signal(Signals.Kill);
            await killed.EndAsync();
            await using (var next = SampleProcess.Start("Squares"))
                Assert.Equal(0, await next.EndAsync());
            // Another test's pool that started in between may be the one that sweeps, and may not have finished.
            await Waits.UntilAsync(
                () => Task.FromResult(names.All(name => Directory.GetFiles(Path.GetTempPath(), name).Length == 0)));
        }
    }

    private Task<CoordinatorProcess> StartAsync() => CoordinatorProcess.StartInAsync(
        _data.Path, new Dictionary<string, string> { ["TMPDIR"] = _temporary.Path },
        ["--workers", "1", "--hot-spares", "0", .. TestWorker.Arguments(Environment.ProcessPath!)]);

    private static async Task<int> SpawnAsync(CoordinatorProcess coordinator, string script)
    {
        var before = coordinator.Family();
        var result = await coordinator.RunAsync(Specs.Json("spawn", $"\"{script}\""));
        var pid = (int)result.Output.Json.NumberValue;
        Assert.DoesNotContain(pid, before);
        // Waits until the process has executed its program.
        await Waits.UntilAsync(() => Task.FromResult(File.ReadAllText($"/proc/{pid}/comm").Trim() == "sleep"));
        return pid;
    }

    private string[] Leftovers() => Directory.GetFiles(_temporary.Path, "*-*-*");

    private static int PidOf(string file) =>
        int.Parse(Path.GetFileName(file).Split('-').First(part => part.All(char.IsAsciiDigit)), CultureInfo.InvariantCulture);
}

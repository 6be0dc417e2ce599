using System.Diagnostics;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// F22: the wall clock of the coordinator's machine is set forward and back by an hour; libfaketime moves it under the running process.
/// </summary>
[Trait("Kind", "slow")]
public sealed class WallClockTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("+3600")]
    [InlineData("-3600")]
    public async Task No_lease_and_no_timeout_moves_with_the_wall_clock(string shift)
    {
        var library = Directory.EnumerateFiles("/usr/lib", "libfaketimeMT.so.1",
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).FirstOrDefault();
        Assert.SkipWhen(library is null, "libfaketime is missing: Debian's package faketime, which scripts/test installs");
        using var directory = new TemporaryDirectory();
        var clock = Path.Combine(directory.Path, "clock");
        await File.WriteAllTextAsync(clock, "+0\n");
        await using var coordinator = await CoordinatorProcess.StartAsync(
            new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = library!,
                ["FAKETIME_TIMESTAMP_FILE"] = clock,
                ["FAKETIME_NO_CACHE"] = "1",
                // The kernel's monotonic clock does not jump when the wall clock is set.
                ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
                // For an older C library; with this one it makes timed waits end at once, and those who wait spin.
                ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
            },
            "--workers", "1");
        Assert.InRange(await OffsetAsync(coordinator), -TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));

        var real = Stopwatch.StartNew();
        // What ends after some seconds, whatever the wall clock says: a lease, a session's time to live, a task's timeout, a wait's
        // timeout.
        var lease = await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "leased", Lease = Specs.Seconds(6) }, CoordinatorProcess.Deadline());
        var session = (await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { Ttl = Specs.Seconds(6) }, CoordinatorProcess.Deadline())).SessionId;
        await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "owned", SessionId = session }, CoordinatorProcess.Deadline());
        var task = (await coordinator.SubmitAsync(
            Specs.Json("sleep", """{"ms": 600000}""", new TaskOptions { RunTimeout = Specs.Seconds(6) }))).Single();
        await coordinator.RunAsync(Specs.Json("sleep", """{"ms": 1}"""));
        var wait = coordinator.Sync.WaitEventAsync(
            new WaitEventRequest { Event = "never", Timeout = Specs.Seconds(6) }, CoordinatorProcess.Deadline()).ResponseAsync;
        var prepared = real.Elapsed;
        await File.WriteAllTextAsync(clock, shift + "\n");

        // The wall clock did move.
        var seconds = double.Parse(shift, System.Globalization.CultureInfo.InvariantCulture);
        var offset = TimeSpan.Zero;
        while (Math.Abs((offset - TimeSpan.FromSeconds(seconds)).TotalSeconds) > 60)
        {
            Assert.True(real.Elapsed < TimeSpan.FromSeconds(30), $"the wall clock is {offset} ahead, and should be {shift} s");
            offset = await OffsetAsync(coordinator);
        }

        var looked = await coordinator.Sync.ListSyncAsync(new ListSyncRequest(), CoordinatorProcess.Deadline());
        var open = !wait.IsCompleted;
        if (real.Elapsed < TimeSpan.FromSeconds(5.5))
        {
            // And nothing expired with it.
            Assert.Equal(2, looked.Objects.Count(item => item.Holders.Count == 1));
            Assert.True(open);
        }

        var other = (await coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { Ttl = Specs.Seconds(120) }, CoordinatorProcess.Deadline())).SessionId;
        var taken = await Task.WhenAll(
            TakeAsync("leased"), TakeAsync("owned"),
            Measure(async () => Assert.Equal(TaskState.TimedOut, (await coordinator.WaitAsync([task])).Single().State)),
            Measure(async () => Assert.Equal(WaitStatus.Timeout, (await wait).Status)));
        output.WriteLine(
            $"the wall clock moved by {offset.TotalMinutes:F0} minutes; a lease, a session, a task and a wait of 6 s took " +
            $"{string.Join(", ", taken.Select(time => $"{time.TotalSeconds:F1}"))} s");
        Assert.All(taken, time => Assert.InRange(time, TimeSpan.FromSeconds(6) - prepared, TimeSpan.FromSeconds(30)));
        Assert.True(lease.FencingToken > 0);
        // Its workers were not considered silent, either.
        Assert.Equal(0, (await coordinator.WorkersAsync()).Single().Restarts);

        Task<TimeSpan> TakeAsync(string name) => Measure(async () =>
            Assert.Equal(WaitStatus.Ok, (await coordinator.Sync.AcquireLockAsync(
                new AcquireLockRequest { Lock = name, SessionId = other }, CoordinatorProcess.Deadline())).Status));

        async Task<TimeSpan> Measure(Func<Task> action)
        {
            await action();
            return real.Elapsed;
        }
    }

    /// <summary>How far the coordinator's wall clock is ahead of the test's, by the Date header of its HTTP responses.</summary>
    private static async Task<TimeSpan> OffsetAsync(CoordinatorProcess coordinator)
    {
        using var http = new HttpClient { BaseAddress = new Uri(coordinator.HttpAddress) };
        using var response = await http.GetAsync(new Uri("/livez", UriKind.Relative), TestContext.Current.CancellationToken);
#pragma warning disable RS0030 // This test measures the wall clock.
        return response.Headers.Date!.Value - DateTimeOffset.UtcNow;
#pragma warning restore RS0030
    }
}

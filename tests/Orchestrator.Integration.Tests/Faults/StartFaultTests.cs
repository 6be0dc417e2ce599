using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>Obstacles to a start: one clear line, or the start repairs the problem.</summary>
public sealed class StartFaultTests
{
    [Fact]
    public async Task A_second_coordinator_in_the_same_directory_is_refused_and_names_the_first()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        var before = await File.ReadAllTextAsync(Path.Combine(coordinator.DataDirectory, "endpoint.json"));
        var line = await RefusedAsync("--data-dir", coordinator.DataDirectory);
        Assert.Contains($"another coordinator (pid {coordinator.Pid}) runs in {coordinator.DataDirectory}", line, StringComparison.Ordinal);
        // The first coordinator was not affected.
        Assert.Equal(before, await File.ReadAllTextAsync(Path.Combine(coordinator.DataDirectory, "endpoint.json")));
        Assert.Equal(TaskStateSucceeded, (await coordinator.RunAsync(Specs.Json("sum_of_squares", """{"n": 3}"""))).State);
    }

    [Fact]
    public async Task What_a_SIGKILL_left_behind_is_swept_by_the_next_start()
    {
        using var directory = new TemporaryDirectory();
        await using (var first = await CoordinatorProcess.StartInAsync(directory, "--workers", "1"))
        {
            first.Kill();
            await first.WaitForExitAsync();
            await first.WaitForFamilyToEndAsync(TimeSpan.FromSeconds(10));
        }

        var run = Path.Combine(directory.Path, "run");
        var stale = Assert.Single(Directory.GetDirectories(run));
        Assert.True(File.Exists(Path.Combine(stale, "coordinator.sock")));
        // Also that of a living pid: the pid was reused by another process.
        Directory.CreateDirectory(Path.Combine(run, "1"));
        await using var second = await CoordinatorProcess.StartInAsync(directory, "--workers", "1");
        Assert.Equal(second.Pid.ToString(CultureInfo.InvariantCulture), Path.GetFileName(Assert.Single(Directory.GetDirectories(run))));
        Assert.Equal(TaskStateSucceeded, (await second.RunAsync(Specs.Json("sum_of_squares", """{"n": 3}"""))).State);
    }

    [Theory]
    [InlineData("--grpc-port")]
    [InlineData("--http-port")]
    public async Task A_port_that_is_taken_is_named(string option)
    {
        using var directory = new TemporaryDirectory();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        var line = await RefusedAsync("--data-dir", directory.Path, "--workers", "0", option, port);
        Assert.Contains(port, line, StringComparison.Ordinal);
        Assert.Contains("choose other ports with --grpc-port and --http-port", line, StringComparison.Ordinal);
        // Nothing remains that could obstruct the next start.
        Assert.False(File.Exists(Path.Combine(directory.Path, "endpoint.json")));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_used_is_named()
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "file");
        await File.WriteAllTextAsync(file, "");
        // The second is read-only for root, too.
        foreach (var unusable in new[] { Path.Combine(file, "below"), "/proc/orchestrator" })
            Assert.Contains(
                $"the data directory {unusable} cannot be used", await RefusedAsync("--data-dir", unusable), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Systemd_is_told_when_it_is_ready_and_when_it_stops_and_a_hang_up_replaces_the_workers()
    {
        using var directory = new TemporaryDirectory();
        var path = Path.Combine(directory.Path, "notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        // Under nohup the tests ignore SIGHUP; a child inherits that, and .NET respects it.
        await using (var coordinator = await CoordinatorProcess.StartBehindAsync(
            ["/usr/bin/env", "--default-signal=HUP", $"NOTIFY_SOCKET={path}"], "--workers", "2"))
        {
            Assert.Contains("READY=1", await ReceiveAsync(socket), StringComparison.Ordinal);
            var before = (await coordinator.WorkersAsync()).Select(worker => worker.Pid).ToArray();
            Signals.Send(coordinator.Pid, Signals.HangUp);
            var done = await coordinator.WaitForEventAsync("coordinator.reloaded");
            Assert.Contains("2 workers", done.Message, StringComparison.Ordinal);
            Assert.Empty(before.Intersect((await coordinator.WorkersAsync()).Select(worker => worker.Pid)));
        }

        Assert.Contains("STOPPING=1", await ReceiveAsync(socket), StringComparison.Ordinal);
    }

    private const V1.TaskState TaskStateSucceeded = V1.TaskState.Succeeded;

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var buffer = new byte[1_024];
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer.AsMemory(), limit.Token));
    }

    /// <summary>The one line of a start that fails.</summary>
    private static async Task<string> RefusedAsync(params string[] arguments)
    {
        string[] ports = [.. new[] { "--grpc-port", "--http-port" }.Where(option => !arguments.Contains(option))
            .SelectMany(option => new[] { option, "0" })];
        var (exitCode, output) = await CommandLine.RunAsync(["serve", .. ports, .. arguments]);
        Assert.Equal(1, exitCode);
        return Assert.Single(output.TrimEnd().Split('\n'));
    }
}

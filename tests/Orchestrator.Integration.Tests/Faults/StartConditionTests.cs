using System.Diagnostics;
using System.Globalization;
using Orchestrator.Cli.Common;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>Part 5, 6: unusual conditions of a start: each gives one clear line, or simply works; never a stack trace.</summary>
[Trait("Kind", "slow")]
public sealed class StartConditionTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>
    /// Neither the data directory nor the folder for temporary files is short enough for a socket's path, or only one of them.
    /// </summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task However_long_the_folders_names_it_works(bool longData, bool longTemporary)
    {
        var longName = Directory.CreateDirectory(Path.Combine(_directory.Path, new string('l', 120))).FullName;
        var data = Path.Combine(longData ? longName : _directory.Path, "data");
        await using var coordinator = await CoordinatorProcess.StartInAsync(
            data, new Dictionary<string, string> { ["TMPDIR"] = longTemporary ? longName : Path.GetTempPath() }, "--workers", "1",
            "--hot-spares", "0");
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo", "1"))).State);
        // A handler reaches the coordinator through the socket.
        await new QueueService.QueueServiceClient(coordinator.Invoker).CreateQueueAsync(
            new CreateQueueRequest { Spec = new QueueSpec { Name = "q" } }, CoordinatorProcess.Deadline());
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("produce", """{"queue": "q", "count": 1}"""))).State);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(64)]
    [InlineData(100)]
    [InlineData(128)]
    [InlineData(199)]
    [InlineData(250)]
    public async Task A_limit_of_files_that_is_too_low_is_named_in_one_line(int files)
    {
        var (code, output) = await RunAsync($"exec prlimit --nofile={files}:{files} \"$@\"", "serve", "--grpc-port", "0", "--http-port",
            "0", "--workers", "1", "--data-dir", _directory.Path);
        Assert.Equal(ExitCode.TaskFailed, code);
        Assert.Contains($"this process may open {files} files", Assert.Single(output.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(40, "this process may open 40 files")]
    [InlineData(99, "this process may open 99 files")]
    [InlineData(100, "No coordinator is running here")]
    public async Task So_it_is_by_the_other_verbs(int files, string says)
    {
        var (_, output) = await RunAsync($"exec prlimit --nofile={files}:{files} \"$@\"", "status", "--data-dir", _directory.Path);
        Assert.Contains(says, Assert.Single(output.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    /// <summary>It becomes ready and stays so, though its banner cannot be written.</summary>
    [Theory]
    [InlineData(">&-")]
    [InlineData(">/dev/full")]
    [InlineData(">&- 2>&-")]
    [InlineData("<&- >&- 2>&-")]
    [InlineData(">/dev/full 2>/dev/full")]
    public async Task A_banner_that_cannot_be_written_ends_nothing(string redirections)
    {
        using var process = Start($"exec \"$@\" {redirections}", "serve", "--grpc-port", "0", "--http-port", "0", "--workers", "1",
            "--hot-spares", "0", "--data-dir", _directory.Path);
        try
        {
            string[] here = ["--data-dir", _directory.Path];
            await Waits.UntilAsync(async () =>
            {
                Assert.False(process.HasExited, "it ended before it was ready");
                return (await TestKit.CommandLine.RunAsync(["status", .. here])).ExitCode == ExitCode.Ok;
            });
            // The banner does not end up in its own files.
            Assert.DoesNotContain(
                Directory.GetFiles(_directory.Path).Where(file => !file.EndsWith(".lock", StringComparison.Ordinal)),
                file => File.ReadAllText(file).Contains("Orchestrator is ready", StringComparison.Ordinal));
            var (code, output) = await TestKit.CommandLine.RunAsync(["run", "echo", "7", .. here]);
            Assert.Equal((ExitCode.Ok, "7"), (code, output.Trim()));
        }
        finally
        {
            Signals.Send(process.Id, Signals.Term);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, process.ExitCode);
    }

    [Theory]
    [InlineData("HOME=", "")]
    [InlineData("HOME=relative", "")]
    [InlineData("HOME=/nonexistent/home", "/nonexistent/home/.local/state/orchestrator")]
    public async Task Without_a_home_the_data_directory_is_never_below_the_current_one(string home, string expected)
    {
        var current = Directory.CreateDirectory(Path.Combine(_directory.Path, "current")).FullName;
        var (_, output) = await RunAsync($"cd '{current}' && exec env -u XDG_STATE_HOME -u ORCHESTRATOR_DATA_DIR {home} \"$@\"", "doctor");
        Assert.Empty(Directory.GetFileSystemEntries(current));
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        var line = output.Split('\n').FirstOrDefault(line => line.Contains("data directory", StringComparison.Ordinal)) ?? "";
        // With an empty HOME the user's passwd entry names the home directory, if there is an entry.
        Assert.True(line.Contains(expected.Length > 0 ? expected : "/", StringComparison.Ordinal)
            || line.Contains("There is no home directory here", StringComparison.Ordinal), line);
    }

    [Fact]
    public async Task A_hang_up_while_it_starts_is_obeyed_once_it_is_ready()
    {
        // Under nohup the tests ignore SIGHUP; a child inherits that, and .NET respects it.
        using var process = Start(
            "exec env --default-signal=HUP \"$@\"", "serve", "--grpc-port", "0", "--http-port", "0", "--workers", "1", "--hot-spares", "0",
            "--data-dir", _directory.Path);
        try
        {
            var pid = Path.Combine(_directory.Path, "coordinator.pid");
            var endpoint = Path.Combine(_directory.Path, "endpoint.json");
            await Waits.UntilAsync(() => Task.FromResult(File.Exists(pid) && File.ReadAllText(pid).Length > 0));
            Assert.False(File.Exists(endpoint));
            Signals.Send(int.Parse(File.ReadAllText(pid), CultureInfo.InvariantCulture), Signals.HangUp);
            await Waits.UntilAsync(async () =>
            {
                Assert.False(process.HasExited, "the signal ended it");
                await Task.Yield();
                return File.Exists(endpoint);
            });
            var (_, events) = await RunAsync(
                "exec timeout 20 \"$@\" | grep -m1 coordinator.reloaded", "events", "--data-dir", _directory.Path);
            Assert.Contains("coordinator.reloaded", events, StringComparison.Ordinal);
        }
        finally
        {
            Signals.Send(process.Id, Signals.Term);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>The command behind a shell, which sets up the conditions.</summary>
    private static Process Start(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", script, "sh", CoordinatorProcess.CommandPath,
            .. arguments])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start)!;
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string script, params string[] arguments)
    {
        using var process = Start(script, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await output + await error);
    }
}

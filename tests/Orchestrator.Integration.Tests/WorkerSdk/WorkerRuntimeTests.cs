using Orchestrator.Cli.Common;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.WorkerSdk;

/// <summary>Which program runs the command's own workers: the native one beside the command, if it runs here.</summary>
public sealed class WorkerRuntimeTests : IAsyncLifetime
{
    private const UnixFileMode NotExecutable = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Executable = NotExecutable | UnixFileMode.UserExecute;

    private static readonly string s_version = typeof(ExitCode).Assembly.GetName().Version!.ToString(3);

    // The answer of a worker of the command's own version.
    private static readonly string s_right = $"echo {s_version}";

    private CommandCopy _copy = null!;

    public async ValueTask InitializeAsync() => _copy = await CommandCopy.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _copy.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Doctor_says_which_and_why()
    {
        Assert.Contains("ok   worker runtime  just-in-time compiler: this command has no native worker", await DoctorAsync(),
            StringComparison.Ordinal);
        // The mode of a file of a package.
        _copy.WriteWorker(s_right, NotExecutable);
        Assert.Contains($"ok   worker runtime  native code, {_copy.Worker}", await DoctorAsync(), StringComparison.Ordinal);
        _copy.WriteWorker("echo 0.0.9", Executable);
        Assert.Contains($"is of version 0.0.9, and this command of {s_version}", await DoctorAsync(), StringComparison.Ordinal);
        _copy.WriteWorker("echo \"libc.so.6: version 'GLIBC_2.99' not found\" >&2; exit 1", Executable);
        Assert.Contains("does not run here: libc.so.6: version 'GLIBC_2.99' not found", await DoctorAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_native_worker_that_does_not_run_here_is_left_alone_and_the_reason_is_printed()
    {
        _copy.WriteWorker("echo broken >&2; exit 1", Executable);
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(_copy.Prefix, "--workers", "1");
        Assert.Contains("orchestrator: the workers are not native code: ", coordinator.Output, StringComparison.Ordinal);
        Assert.Contains("does not run here: broken", coordinator.Output, StringComparison.Ordinal);
        Assert.Matches(@"^dotnet 10\.\d+\.\d+ linux-\S+$", Assert.Single(await coordinator.WorkersAsync()).Runtime);
    }

    [Fact]
    public async Task Native_code_that_cannot_be_had_is_an_error_where_it_is_asked_for()
    {
        await AssertRefusedAsync("there is none at ");
        _copy.WriteWorker(s_right, Executable);
        await AssertRefusedAsync("--worker-grpc needs the web framework", "--worker-grpc");
    }

    private async Task AssertRefusedAsync(string reason, params string[] more)
    {
        var (code, output) = await RunAsync(["serve", "--worker-runtime", "native", "--data-dir", _copy.Folder + "/data", .. more]);
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains($"--worker-runtime native: {reason}", output, StringComparison.Ordinal);
    }

    // Its exit code speaks of the whole machine.
    private async Task<string> DoctorAsync() => (await RunAsync(["doctor", "--data-dir", _copy.Folder + "/data"])).Output;

    private Task<(int Code, string Output)> RunAsync(string[] arguments) =>
        CommandLine.RunProgramAsync(_copy.Command, new Dictionary<string, string>(), arguments);
}

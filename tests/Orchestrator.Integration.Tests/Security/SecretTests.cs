using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>Secrets must not be readable from a process, its environment or the log; and a worker's rights are minimal.</summary>
public sealed partial class SecretTests
{
    private const string Secret = "hunter2-do-not-print";

    [Fact]
    public async Task No_secret_shows_in_arguments_environments_or_the_log()
    {
        var environment = new Dictionary<string, string>
        {
            ["AWS_SECRET_ACCESS_KEY"] = Secret,
            ["ORCHESTRATOR_TOKEN"] = Secret,
            ["NOTIFY_SOCKET_SECRET"] = Secret,
            ["GIVEN"] = "on purpose",
        };
        await using var coordinator = await CoordinatorProcess.StartAsync(
            environment, "--inherit-env", "GIVEN", "--verbose", "--allow-chaos");
        // Inputs that fail, are wrong and kill their worker: error texts about them go to their owner, not to the log.
        var failed = await coordinator.RunAsync(Specs.Json("sum_of_squares", $$"""{"n": "{{Secret}}"}"""));
        Assert.Equal(TaskState.Failed, failed.State);
        var lost = await coordinator.RunAsync(Specs.Json("crash", $$"""{"note": "{{Secret}}"}"""));
        Assert.NotEqual(TaskState.Succeeded, lost.State);

        var workers = 0;
        foreach (var pid in coordinator.Family())
        {
            if (Read($"/proc/{pid}/cmdline") is not { } arguments || Read($"/proc/{pid}/environ") is not { } variables)
                continue;
            Assert.DoesNotContain(coordinator.Token, arguments, StringComparison.Ordinal);
            // The test does not know the workers' tokens, but all have this form.
            Assert.DoesNotMatch(TokenForm(), arguments);
            if (pid == coordinator.Pid)
                continue;
            workers++;
            Assert.DoesNotContain(Secret, variables, StringComparison.Ordinal);
            Assert.DoesNotContain(
                "ORCHESTRATOR_", variables.Replace("LC_ORCHESTRATOR_TEST", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.DoesNotMatch(TokenForm(), variables);
            Assert.Contains("GIVEN=on purpose", variables.Split('\0'));
        }

        Assert.True(workers > 0);
        Assert.DoesNotContain(Secret, coordinator.Output, StringComparison.Ordinal);
        Assert.DoesNotMatch(TokenForm(), coordinator.Output);
        Assert.DoesNotContain("   at ", coordinator.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workers_leave_no_core_dumps_and_no_open_files_and_go_first_when_memory_ends()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        foreach (var pid in (await coordinator.WorkersAsync()).Select(worker => worker.Pid).Append(coordinator.Pid))
        {
            var status = await File.ReadAllLinesAsync($"/proc/{pid}/status");
            Assert.Equal("0077", Value(status, "Umask:"));
            if (pid == coordinator.Pid)
                continue;
            var core = Assert.Single(await File.ReadAllLinesAsync($"/proc/{pid}/limits"), line => line.StartsWith(
                "Max core file size", StringComparison.Ordinal));
            Assert.Equal(["0", "0"], core["Max core file size".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2]);
            Assert.Equal(500, int.Parse(await File.ReadAllTextAsync($"/proc/{pid}/oom_score_adj"), CultureInfo.InvariantCulture));
        }

        // The process marks are dangling symbolic links, which have no mode of their own.
        foreach (var item in Directory.EnumerateFileSystemEntries(coordinator.DataDirectory, "*", SearchOption.AllDirectories).Where(
            item => new FileInfo(item).LinkTarget is null))
            Assert.True((File.GetUnixFileMode(item) & (UnixFileMode)0b111_111) == 0, $"{item} is open to others");

        static string Value(string[] status, string name) =>
            status.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Trim();
    }

    /// <summary>Null where the process has ended since, such as the one that crashed.</summary>
    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path) is { Length: > 0 } text ? text : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    [GeneratedRegex("[0-9a-f]{64}")]
    private static partial Regex TokenForm();
}

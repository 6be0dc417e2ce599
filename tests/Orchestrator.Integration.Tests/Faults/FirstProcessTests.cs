using System.Diagnostics;
using System.Globalization;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>The coordinator as process 1, as in a container without an init process.</summary>
public sealed class FirstProcessTests
{
    private static readonly string[] s_namespace = ["/usr/bin/unshare", "--pid", "--fork", "--mount-proc"];

    [Fact]
    public async Task As_process_1_it_reaps_what_workers_leave_behind_and_obeys_SIGTERM()
    {
        if (!await MayMakeNamespacesAsync())
            Assert.Skip("this user may not make process namespaces (unshare --pid)");
        // Each worker leaves a process in its own session behind, which outlives its parent.
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(
            s_namespace, "--workers", "1", "--hot-spares", "0",
            "--worker-command", $"/bin/sh -c 'setsid -f sleep 1000000; exec {CoordinatorProcess.CommandPath} worker'");
        var first = Assert.Single(ChildrenOf(coordinator.Pid));
        Assert.Equal(1, NamespacePid(first));
        var orphan = 0;
        await Waits.UntilAsync(() =>
        {
            orphan = ChildrenOf(first).FirstOrDefault(pid => CommandOf(pid).StartsWith("sleep", StringComparison.Ordinal));
            return Task.FromResult(orphan != 0);
        });
        Signals.Send(orphan, Signals.Kill);
        // Not even a zombie remains.
        await Waits.UntilAsync(() => Task.FromResult(!Directory.Exists($"/proc/{orphan}")));
        Assert.Equal(V1.TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 10}"""))).State);
        // A worker's exit is still reaped by its own supervisor.
        var worker = Assert.Single(await coordinator.WorkersAsync());
        Signals.Send(HostPid(first, worker.Pid), Signals.Kill);
        var lost = await coordinator.WaitForEventAsync("worker.lost", item => item.Subject == $"{worker.Name}#{worker.Incarnation}");
        Assert.Contains("SIGKILL (9)", lost.Message, StringComparison.Ordinal);
        await coordinator.WaitForEventAsync("worker.ready", afterSequence: lost.Sequence);
        // The program that created the namespace does not forward signals.
        Signals.Send(first, Signals.Term);
        Assert.Equal(0, await coordinator.WaitForExitAsync());
    }

    private static async Task<bool> MayMakeNamespacesAsync()
    {
        if (!File.Exists(s_namespace[0]))
            return false;
        using var trial = Process.Start(
            new ProcessStartInfo(s_namespace[0], [.. s_namespace[1..], "/bin/true"]) { RedirectStandardError = true })!;
        await trial.WaitForExitAsync(TestContext.Current.CancellationToken);
        return trial.ExitCode == 0;
    }

    private static IEnumerable<int> ChildrenOf(int pid)
    {
        foreach (var directory in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var child)
                && Read(child, "stat") is { Length: > 0 } stat
                && stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == pid.ToString(CultureInfo.InvariantCulture))
                yield return child;
        }
    }

    private static int HostPid(int parent, int inside) => ChildrenOf(parent).Single(pid => NamespacePid(pid) == inside);

    private static int NamespacePid(int pid) => int.Parse(
        Read(pid, "status").Split('\n').First(line => line.StartsWith("NSpid:", StringComparison.Ordinal)).Split(
            [' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[^1],
        CultureInfo.InvariantCulture);

    private static string CommandOf(int pid) => Read(pid, "cmdline").Replace('\0', ' ');

    private static string Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (IOException)
        {
            return "";
        }
    }
}

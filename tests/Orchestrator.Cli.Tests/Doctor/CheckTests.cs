using System.Net;
using System.Net.Sockets;
using Orchestrator.Cli.Doctor;

namespace Orchestrator.Cli.Tests.Doctor;

/// <summary>Each check of <c>orchestrator doctor</c> against a machine or folder that is in order, and one that is not.</summary>
public sealed class CheckTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("orchestrator-test-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("1048576", nameof(Verdict.Ok))]
    [InlineData("unlimited", nameof(Verdict.Ok))]
    [InlineData("1024", nameof(Verdict.Warn))]
    [InlineData("256", nameof(Verdict.Fail))]
    public void Open_files(string limit, string verdict)
    {
        Write("proc/self/limits",
            $"Limit                     Soft Limit           Hard Limit           Units     \nMax open files            {limit}          " +
            "    1048576              files     \n");
        Expect(MachineChecks.Files(new Machine(_root)), Enum.Parse<Verdict>(verdict), "ulimit -n");
    }

    [Theory]
    [InlineData("max", nameof(Verdict.Ok))]
    [InlineData("220", nameof(Verdict.Warn))]
    [InlineData("60", nameof(Verdict.Fail))]
    public void Processes_by_the_control_group(string most, string verdict)
    {
        Write("proc/self/limits", "Max processes             unlimited            unlimited            processes \n");
        Write("proc/self/cgroup", "0::/a/b\n");
        // The lowest limit is not the innermost one.
        Write("sys/fs/cgroup/a/pids.max", most + "\n");
        Write("sys/fs/cgroup/a/pids.current", "20\n");
        Write("sys/fs/cgroup/a/b/pids.max", "100000\n");
        Expect(MachineChecks.Threads(new Machine(_root) { Processes = 3 }), Enum.Parse<Verdict>(verdict), "--pids-limit");
    }

    [Theory]
    [InlineData("max", nameof(Verdict.Ok))]
    [InlineData("734003200", nameof(Verdict.Warn))]
    [InlineData("209715200", nameof(Verdict.Fail))]
    public void Memory_by_the_control_group(string most, string verdict)
    {
        Write("proc/meminfo", "MemTotal:       33554432 kB\nMemAvailable:   16777216 kB\n");
        Write("proc/self/cgroup", "0::/\n");
        Write("sys/fs/cgroup/memory.max", most + "\n");
        Write("sys/fs/cgroup/memory.current", "1048576\n");
        Expect(MachineChecks.Memory(new Machine(_root) { Processes = 3 }), Enum.Parse<Verdict>(verdict), "--workers");
    }

    [Fact]
    public void Cpu_quota()
    {
        Write("proc/self/cgroup", "0::/box\n");
        Expect(MachineChecks.Cpu(new Machine(_root)), Verdict.Ok, "");
        Write("sys/fs/cgroup/box/cpu.max", "50000 100000\n");
        var check = MachineChecks.Cpu(new Machine(_root));
        Expect(check, Verdict.Warn, "--workers 1");
        Assert.Contains("0.5", check.Finding, StringComparison.Ordinal);
        Write("sys/fs/cgroup/box/cpu.max", "max 100000\n");
        Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
        Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
        Expect(MachineChecks.Cpu(new Machine(_root)), Verdict.Warn, "--workers 1");
    }

    [Theory]
    [InlineData("tsc", nameof(Verdict.Ok))]
    [InlineData("hpet", nameof(Verdict.Warn))]
    public void Clock(string source, string verdict)
    {
        Write("sys/devices/system/clocksource/clocksource0/current_clocksource", source + "\n");
        Expect(MachineChecks.Clock(new Machine(_root)), Enum.Parse<Verdict>(verdict), "dmesg");
    }

    [Fact]
    public void Versions()
    {
        Expect(MachineChecks.Runtime(new Version(10, 0, 1)), Verdict.Ok, "");
        Expect(MachineChecks.Runtime(new Version(9, 0)), Verdict.Fail, ".NET 10");
        Expect(MachineChecks.Kernel(new Version(6, 1, 0)), Verdict.Ok, "");
        Expect(MachineChecks.Kernel(new Version(4, 18, 0)), Verdict.Fail, "5.4");
    }

    [Fact]
    public void The_token_is_its_owners_alone()
    {
        var path = Path.Combine(_root, "token");
        Expect(PlaceChecks.Token(path), Verdict.Ok, "");
        Write("token", new string('a', 64));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Expect(PlaceChecks.Token(path), Verdict.Ok, "");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Expect(PlaceChecks.Token(path), Verdict.Fail, $"chmod 600 {path}");
    }

    [Fact]
    public void The_data_directory_is_not_open_to_others()
    {
        Expect(PlaceChecks.Folder(_root), Verdict.Ok, "");
        Expect(PlaceChecks.Folder(Path.Combine(_root, "not", "yet")), Verdict.Ok, "");
        File.SetUnixFileMode(_root, File.GetUnixFileMode(_root) | UnixFileMode.OtherWrite);
        Expect(PlaceChecks.Folder(_root), Verdict.Fail, "chmod go-w");
        // Not even root can create a folder there.
        Expect(PlaceChecks.Folder("/proc/orchestrator"), Verdict.Fail, "--data-dir");
        Expect(PlaceChecks.Runtime(_root), Verdict.Ok, "");
        Expect(PlaceChecks.Runtime("/proc/orchestrator"), Verdict.Fail, "--data-dir");
    }

    [Fact]
    public void A_port_that_somebody_else_has()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        Expect(CoordinatorChecks.Port("gRPC port", port, "--grpc-port", new HashSet<int>()), Verdict.Warn, "--grpc-port 0");
        Expect(CoordinatorChecks.Port("gRPC port", port, "--grpc-port", new HashSet<int> { port }), Verdict.Ok, "");
    }

    private static void Expect(Check check, Verdict verdict, string advice)
    {
        Assert.True(check.Verdict == verdict, $"{check}");
        Assert.Equal(verdict == Verdict.Ok, check.Advice.Length == 0);
        if (verdict != Verdict.Ok)
            Assert.Contains(advice, check.Advice, StringComparison.Ordinal);
    }

    private void Write(string path, string text)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}

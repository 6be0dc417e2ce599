using System.Globalization;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Doctor;

/// <summary>Checks of the machine and its limits.</summary>
internal static class MachineChecks
{
    // Sockets of 1,024 connections and of the workers, and libraries.
    private const long NeededFiles = 1_024;
    private const long WiseFiles = 4_096;

    // A process of the runtime has about 25 threads before it works, and up to 64 for blocking tasks.
    private const long NeededThreads = 40;
    private const long WiseThreads = 100;

    // The resident memory of an idle worker, and the memory for work on payloads of 4 MB.
    private const long NeededMemory = 100L << 20;
    private const long WiseMemory = 256L << 20;

    // The first kernel that can wait for a process by its descriptor (waitid with P_PIDFD).
    private static readonly Version NeededKernel = new(5, 4);

    // Read in a few nanoseconds without a system call.
    private static readonly string[] FastClocks =
        ["tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page", "hyperv_clocksource"];

    public static IEnumerable<Check> Run(Machine machine)
    {
        yield return Runtime(Environment.Version);
        yield return Kernel(Environment.OSVersion.Version);
        yield return Files(machine);
        yield return Threads(machine);
        yield return Memory(machine);
        yield return Cpu(machine);
        yield return Clock(machine);
    }

    internal static Check Runtime(Version version) => version.Major >= 10
        ? Check.Ok(".NET", version.ToString())
        : new(".NET", Verdict.Fail, version.ToString(), "install .NET 10");

    internal static Check Kernel(Version version) => version >= NeededKernel
        ? Check.Ok("kernel", version.ToString())
        : new("kernel", Verdict.Fail, version.ToString(), $"Linux {NeededKernel} or later is needed to watch workers by their descriptors");

    internal static Check Files(Machine machine) => machine.Limit("Max open files") is { } limit
        ? Check.AtLeast("open files", limit, NeededFiles, WiseFiles, $"{Count(limit)} per process",
            $"raise it to {WiseFiles}: 'ulimit -n {WiseFiles}', or LimitNOFILE= of a systemd unit")
        : Unknown("open files", "/proc/self/limits");

    internal static Check Threads(Machine machine)
    {
        if (machine.Limit("Max processes") is not { } limit)
            return Unknown("processes", "/proc/self/limits");
        var source = "per user";
        foreach (var group in machine.ControlGroups())
        {
            if (machine.ReadNumber(group + "/pids.max") is { } most && most - (machine.ReadNumber(group + "/pids.current") ?? 0) is var left
                && left < limit)
                (limit, source) = (left, "left in its control group");
        }

        return Check.AtLeast(
            "processes", limit, machine.Processes * NeededThreads, machine.Processes * WiseThreads, $"{Count(limit)} threads {source}",
            $"{machine.Processes} workers want {machine.Processes * WiseThreads}: raise 'ulimit -u', or pids.max of the control group " +
            "(docker run --pids-limit), or serve with fewer --workers");
    }

    internal static Check Memory(Machine machine)
    {
        if (machine.Memory("MemAvailable") is not { } available)
            return Unknown("memory", "/proc/meminfo");
        var source = "available";
        foreach (var group in machine.ControlGroups())
        {
            if (machine.ReadNumber(group + "/memory.max") is { } most
                && most - (machine.ReadNumber(group + "/memory.current") ?? 0) is var left && left < available)
                (available, source) = (left, "left in its control group");
        }

        return Check.AtLeast(
            "memory", available, (machine.Processes + 1) * NeededMemory, (machine.Processes + 1) * WiseMemory,
            $"{Format.Bytes((ulong)Math.Max(0, available))} {source}",
            $"the coordinator and {machine.Processes} workers want {Format.Bytes((ulong)((machine.Processes + 1) * WiseMemory))}: free " +
            "some, raise the limit, or serve with fewer --workers");
    }

    internal static Check Cpu(Machine machine)
    {
        var cores = Environment.ProcessorCount;
        var allowed = machine.ControlGroups().Select(group => Quota(machine.Read(group + "/cpu.max"))).Append(OldQuota(machine)).Min();
        if (allowed is not { } quota)
            return Check.Ok("CPU", $"{cores} cores, no quota");
        var finding = string.Create(CultureInfo.InvariantCulture, $"{cores} cores, of which the control group's quota allows {quota:0.##}");
        return quota >= cores
            ? Check.Ok("CPU", finding)
            : new("CPU", Verdict.Warn, finding,
                "processes are stopped when the quota is used up: raise it to a whole number, or serve with --workers " +
                $"{Math.Max(1, (int)quota)}");
    }

    internal static Check Clock(Machine machine)
    {
        const string SourceFile = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        return machine.Read(SourceFile) switch
        {
            null => Unknown("clock", SourceFile),
            var name when FastClocks.Contains(name) => Check.Ok("clock", name),
            var name =>
                new("clock", Verdict.Warn, name,
                    "each read of the time is a system call, which costs throughput; see available_clocksource beside it, and why the " +
                    "kernel gave tsc up (dmesg)"),
        };
    }

    private static double? Quota(string? text) =>
        text?.Split(' ') is [var quota, var period] && double.TryParse(quota, CultureInfo.InvariantCulture, out var used)
            && double.TryParse(period, CultureInfo.InvariantCulture, out var of) && of > 0
            ? used / of
            : null;

    // Control groups version 1; -1 means no quota.
    private static double? OldQuota(Machine machine) =>
        machine.ReadNumber("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") is > 0 and var quota
            && machine.ReadNumber("/sys/fs/cgroup/cpu/cpu.cfs_period_us") is > 0 and var period
            ? (double)quota / period
            : null;

    private static string Count(long value) => value == long.MaxValue ? "unlimited" : Format.Count(value);

    private static Check Unknown(string name, string path) =>
        new(name, Verdict.Warn, $"{path} cannot be read", "mount /proc and /sys to have it checked");
}

using System.Globalization;

namespace Orchestrator.Cli.Doctor;

/// <summary>What the kernel says of this process and its machine, below a root that a test may choose.</summary>
internal sealed class Machine(string root = "/")
{
    /// <summary>Workers that <c>serve</c> would start, and the spare.</summary>
    public int Processes { get; init; } = Environment.ProcessorCount + 1;

    /// <summary>A file's text without the spaces around it; null where there is none that may be read.</summary>
    public string? Read(string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(root, path.TrimStart('/'))).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A file that holds one number; "max" and whatever is no number is null.</summary>
    public long? ReadNumber(string path) =>
        long.TryParse(Read(path), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The soft limit of a row of <c>/proc/self/limits</c>; <see cref="long.MaxValue"/> where it is unlimited, null where it is unknown.</summary>
    public long? Limit(string name)
    {
        var row = Read("/proc/self/limits")?.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return row?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
        {
            ["unlimited", ..] => long.MaxValue,
            [var soft, ..] when long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
            _ => null,
        };
    }

    /// <summary>A row of <c>/proc/meminfo</c> in bytes.</summary>
    public long? Memory(string name)
    {
        var row = Read("/proc/meminfo")?.Split('\n').FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        return row?[(name.Length + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var kilobytes, ..]
            && long.TryParse(kilobytes, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number * 1024 : null;
    }

    /// <summary>This process's control group (version 2) and those above it, innermost first, as folders.</summary>
    public IEnumerable<string> ControlGroups()
    {
        var own = Read("/proc/self/cgroup")?.Split('\n').FirstOrDefault(line => line.StartsWith("0::", StringComparison.Ordinal))?[3..];
        for (var group = own; group is not null; group = group is "/" or "" ? null : Path.GetDirectoryName(group))
            yield return "/sys/fs/cgroup" + (group == "/" ? "" : group);
    }
}

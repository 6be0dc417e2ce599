using System.Globalization;

namespace Orchestrator.Cli.Doctor;

/// <summary>The kernel's information about this process and its machine, read below a root that a test may choose.</summary>
internal sealed class Machine(string root = "/")
{
    /// <summary>The workers that <c>serve</c> would start, including the spare.</summary>
    public int Processes { get; init; } = Environment.ProcessorCount + 1;

    /// <summary>A file's trimmed text; null if the file is missing or unreadable.</summary>
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

    /// <summary>The number in a file; null for "max" and other text.</summary>
    public long? ReadNumber(string path) =>
        long.TryParse(Read(path), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>
    /// The soft limit of a row of <c>/proc/self/limits</c>; <see cref="long.MaxValue"/> if it is unlimited, null if it is unknown.
    /// </summary>
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

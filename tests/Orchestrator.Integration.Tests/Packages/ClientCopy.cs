using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Packages;

/// <summary>A copy of the client's sources, and of all that their build reads, for a test that changes them.</summary>
internal sealed class ClientCopy
{
    /// <summary>The client's project in the copy.</summary>
    public const string Project = "src/Orchestrator.Client";

    private static readonly string[] s_files =
    [
        ".editorconfig", ".globalconfig", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json",
        "src/BannedSymbols.txt",
    ];

    private static readonly string[] s_folders =
        ["packaging", "protos", "src/Orchestrator.Protocol", "src/Orchestrator.Transport", Project];

    public ClientCopy(string root)
    {
        Root = root;
        foreach (var file in s_files.Concat(s_folders.SelectMany(FilesIn)))
        {
            var copy = Path.Combine(root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Repository.PathOf(file), copy);
        }
    }

    /// <summary>Its folder.</summary>
    public string Root { get; }

    /// <summary>Removes a member that has one line, with the line of its documentation.</summary>
    public void Remove(string file, string member)
    {
        var path = Path.Combine(Root, Project, file);
        var lines = File.ReadAllLines(path).ToList();
        var at = lines.FindIndex(line => line.Contains($" {member}(", StringComparison.Ordinal));
        Assert.EndsWith(";", lines[at], StringComparison.Ordinal);
        Assert.StartsWith("/// <summary>", lines[at - 1].Trim(), StringComparison.Ordinal);
        lines.RemoveRange(at - 1, 2);
        File.WriteAllLines(path, lines);
    }

    private static IEnumerable<string> FilesIn(string folder) =>
        Directory.EnumerateFiles(Repository.PathOf(folder), "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.Root, path))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));
}

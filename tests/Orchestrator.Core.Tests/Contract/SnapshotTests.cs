using Orchestrator.TestKit;

namespace Orchestrator.Core.Tests.Contract;

/// <summary>Every change of the wire format shows in review as a change of <c>contract.snapshot.txt</c>.</summary>
public sealed class SnapshotTests
{
    private const string UpdateVariable = "ORCHESTRATOR_UPDATE_SNAPSHOTS";

    private static readonly string SnapshotPath = Repository.PathOf(
        "tests", "Orchestrator.Core.Tests", "Contract", "contract.snapshot.txt");

    [Fact]
    public void The_contract_is_the_committed_one()
    {
        var files = ContractFiles.Of(ContractFiles.Local, ContractFiles.Public, ContractFiles.Worker);
        Assert.Equal(
            Directory.EnumerateFiles(Repository.PathOf("protos"), "*.proto", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Repository.PathOf("protos"), path)).Order(StringComparer.Ordinal),
            files.Select(file => file.Name));
        var actual = ContractText.Render(files);
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
            File.WriteAllText(SnapshotPath, actual);
        var expected = File.Exists(SnapshotPath) ? File.ReadAllText(SnapshotPath) : "";
        var (was, now) = (Paths(expected), Paths(actual));
        var removed = was.Except(now).Select(line => "- " + line);
        var added = now.Except(was).Select(line => "+ " + line);
        Assert.True(
            expected == actual,
            $"the contract has changed:\n{string.Join('\n', removed.Concat(added).Take(40))}\n"
                + $"If protos/README.md allows it, run the test once with {UpdateVariable}=1 and commit contract.snapshot.txt with the " +
                    "change.");
    }

    /// <summary>Each line prefixed with the headings above it, so that a field names its message.</summary>
    private static List<string> Paths(string text)
    {
        var paths = new List<string>();
        var headings = new List<string>();
        foreach (var line in text.Split('\n').Where(line => line.Length > 0))
        {
            var content = line.TrimStart();
            // Two spaces per level, and no level is skipped.
            var depth = (line.Length - content.Length) / 2;
            headings.RemoveRange(depth, headings.Count - depth);
            headings.Add(content);
            paths.Add(string.Join(" › ", headings));
        }

        return paths;
    }
}

using System.Xml.Linq;
using Orchestrator.TestKit;

namespace Orchestrator.Architecture.Tests;

/// <summary>The allowed project references, so that a forbidden dependency fails.</summary>
public sealed class ProjectReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Protocol"] = [],
        ["Transport"] = ["Protocol"],
        ["Core"] = [],
        ["Client"] = ["Protocol", "Transport"],
        ["Worker"] = ["Protocol", "Transport", "Client"],
        ["Worker.AspNetCore"] = ["Protocol", "Transport", "Worker"],
        ["Handlers"] = ["Worker"],
        ["StockWorker"] = ["Handlers"],
        // The page is a client: it knows the contract, and nothing of the coordinator.
        ["Dashboard"] = ["Protocol"],
        // The coordinator runs in-process placements on the worker's lanes.
        ["Coordinator"] = ["Core", "Dashboard", "Protocol", "Transport", "Worker"],
        ["App"] = ["Coordinator", "Worker", "Client"],
        // Plots travel to it as JSON.
        ["Bench"] = [],
        ["Cli"] = ["App", "Handlers", "Client", "Worker.AspNetCore"],
    };

    public static TheoryData<string> Projects =>
        [.. Directory.EnumerateDirectories(Repository.PathOf("src")).Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_architecture_allows(string project)
    {
        var name = ShortName(project);
        Assert.True(Allowed.TryGetValue(name, out var allowed), $"{project} is not in the architecture's table");
        var references = Load(project).Descendants("ProjectReference")
            .Select(item => ShortName(Path.GetFileNameWithoutExtension(item.Attribute("Include")!.Value.Replace('\\', '/'))));
        Assert.Empty(references.Except(allowed!).Select(other => $"{name} → {other}"));
    }

    [Fact]
    public void Core_references_nothing_but_the_base_class_library()
    {
        var project = Load("Orchestrator.Core");
        Assert.Empty(project.Descendants("PackageReference").Concat(project.Descendants("FrameworkReference"))
            .Concat(project.Descendants("Reference")));
        Assert.Equal("Microsoft.NET.Sdk", project.Root!.Attribute("Sdk")!.Value);
    }

    [Fact]
    public void Core_as_built_references_no_assembly_of_another_project_or_package() =>
        Assert.All(
            typeof(Core.Tasks.TaskEngine).Assembly.GetReferencedAssemblies(),
            assembly => Assert.StartsWith("System.", assembly.Name, StringComparison.Ordinal));

    private static XDocument Load(string project) => XDocument.Load(Repository.PathOf("src", project, project + ".csproj"));

    private static string ShortName(string project) => project["Orchestrator.".Length..];
}

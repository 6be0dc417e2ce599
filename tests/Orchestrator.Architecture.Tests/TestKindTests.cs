using System.Reflection;
using System.Text.Json;
using System.Xml.Linq;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Orchestrator.TestKit;

namespace Orchestrator.Architecture.Tests;

/// <summary>
/// Each test project says whether its tests start processes, by <c>TestKind</c>; scripts/test --fast runs the projects whose kind is
/// <c>unit</c>.
/// </summary>
public sealed class TestKindTests
{
    private const string Unit = "unit";
    private const string Process = "process";
    private const string Slow = "slow";

    // The sample that is a test project: a program's own tests, with a fake client.
    private const string SampleOfTests = "samples/FakeClient/FakeClient.csproj";

    // What a test could start a process with: the base class library's own way, and those of the test kit.
    private static readonly HashSet<string> s_starters =
    [
        nameof(System.Diagnostics.ProcessStartInfo), "CoordinatorProcess", "TestWorker", "TerminalProcess", "ExternalTool", "SampleProcess",
    ];

    public static TheoryData<string> Projects =>
        [.. Directory.EnumerateDirectories(Repository.PathOf("tests"), "*.Tests").Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_test_project_has_one_kind(string project)
    {
        var kind = Assert.Single(Load(project).Descendants("TestKind")).Value;
        Assert.True(kind is Unit or Process, $"{project}: {kind} is neither {Unit} nor {Process}");
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_class_says_no_kind_but_slow_and_that_only_among_processes(string project)
    {
        foreach (var (path, syntax) in SourcesOf(project))
        {
            foreach (var attribute in syntax.DescendantNodes().OfType<AttributeSyntax>().Where(
                attribute => attribute.Name.ToString() == "Trait"))
            {
                var values = attribute.ArgumentList!.Arguments.Select(argument => argument.ToString().Trim('"')).ToArray();
                Assert.True(
                    values is ["Kind", Slow] && KindOf(project) == Process && attribute.Parent!.Parent is ClassDeclarationSyntax,
                    $"{path}: {attribute} is not [Trait(\"Kind\", \"{Slow}\")] of a class in a project of the kind {Process}");
            }

            var repeated = syntax.DescendantNodes().OfType<ClassDeclarationSyntax>().Where(type => type.AttributeLists
                .SelectMany(list => list.Attributes).Count(attribute => attribute.Name.ToString() == "Trait") > 1);
            Assert.Empty(repeated.Select(type => type.Identifier.Text));
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_unit_project_starts_no_process(string project)
    {
        if (KindOf(project) != Unit)
        {
            Assert.NotEmpty(StartsOf(project));
            return;
        }

        Assert.Empty(StartsOf(project));
        Assert.All(
            Load(project).Descendants("ProjectReference").Select(item => item.Attribute("Include")!.Value),
            path => Assert.StartsWith("../../src/", path, StringComparison.Ordinal));
    }

    [Fact]
    public void The_kind_is_a_trait_of_the_built_assembly() => Assert.Contains(
        typeof(TestKindTests).Assembly.GetCustomAttributes<TraitAttribute>(), trait => trait is { Name: "Kind", Value: Unit });

    [Fact]
    public void The_fast_run_has_every_unit_project_and_no_other()
    {
        using var filter = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests", "Unit.slnf")));
        Assert.Equal(
            Projects.Select(row => row.Data).Where(project => KindOf(project) == Unit)
                .Select(project => $"tests/{project}/{project}.csproj").Prepend(SampleOfTests),
            filter.RootElement.GetProperty("solution").GetProperty("projects").EnumerateArray().Select(path => path.GetString()).Order());
    }

    private static string KindOf(string project) => Load(project).Descendants("TestKind").Single().Value;

    private static IEnumerable<string> StartsOf(string project) =>
        from source in SourcesOf(project)
        from node in source.Syntax.DescendantNodes().OfType<SimpleNameSyntax>()
        where s_starters.Contains(node.Identifier.Text)
            || (node.Identifier.Text == "Start" && node.Parent is MemberAccessExpressionSyntax { Expression: var type } && type.ToString()
                is "Process" or "System.Diagnostics.Process")
        select $"{source.Path} uses {node.Parent}";

    /// <summary>The project's files, and those of others that it compiles; this one names the starters to forbid them.</summary>
    private static IEnumerable<(string Path, CompilationUnitSyntax Syntax)> SourcesOf(string project)
    {
        var folder = Repository.PathOf("tests", project);
        var own = Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories);
        var linked = Load(project).Descendants("Compile").Select(item => Path.Combine(folder, item.Attribute("Include")!.Value));
        return own.Concat(linked).Where(path => Path.GetFileName(path) != nameof(TestKindTests) + ".cs")
            .Select(path => (path, CSharpSyntaxTree.ParseText(File.ReadAllText(path)).GetCompilationUnitRoot()));
    }

    private static XDocument Load(string project) => XDocument.Load(Repository.PathOf("tests", project, project + ".csproj"));
}

using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Orchestrator.TestKit;

namespace Orchestrator.Architecture.Tests;

/// <summary>What the source files promise to their readers.</summary>
public sealed class SourceTests
{
    private const int MaxFileLines = 400;
    private const int MaxTypicalLines = 80;
    private const int MaxLongLines = 200;
    private const int MaxTypeLines = 600;
    private const int MaxColumns = 140;

    private static readonly string[] s_folders = ["src", "tests", "samples"];

    private static readonly Lazy<IReadOnlyList<(string Path, CompilationUnitSyntax Syntax)>> s_product = new(() =>
        [.. Files("src").Select(
            path => (path, CSharpSyntaxTree.ParseText(File.ReadAllText(Repository.PathOf(path))).GetCompilationUnitRoot()))]);

    [Fact]
    public void A_file_is_short_enough_to_read() => AssertNone(
        from path in Files("src")
        let lines = File.ReadLines(Repository.PathOf(path)).Count()
        where lines > MaxFileLines
        select $"{path} has {lines} lines; split it at {MaxFileLines}");

    [Fact]
    public void Most_files_of_a_project_are_shorter_than_that() => AssertNone(
        from path in Files("src")
        group File.ReadLines(Repository.PathOf(path)).Count() by path.Split('/')[1] into project
        let lines = project.Order().ToArray()
        let median = lines[(lines.Length - 1) / 2]
        let high = lines[(((9 * lines.Length) + 9) / 10) - 1]
        where median > MaxTypicalLines || high > MaxLongLines
        select $"the files of {project.Key} have a median of {median} lines and a 90th percentile of {high}; " +
            $"divide those with two jobs at {MaxTypicalLines} and {MaxLongLines}");

    [Fact]
    public void A_line_fits_the_screen() => AssertNone(
        from path in s_folders.SelectMany(Files)
        let lines = File.ReadAllLines(Repository.PathOf(path))
        where lines.Any(line => line.Length > MaxColumns)
        let raw = LinesOfRawStrings(path)
        from line in lines.Index()
        where line.Item.Length > MaxColumns && !raw.Contains(line.Index)
        select $"{path}:{line.Index + 1} has {line.Item.Length} columns; wrap it at {MaxColumns}");

    [Fact]
    public void A_type_with_all_its_parts_is_small_enough_to_know() => AssertNone(
        from part in s_product.Value.SelectMany(file => file.Syntax.DescendantNodes().OfType<TypeDeclarationSyntax>())
        where part.Parent is BaseNamespaceDeclarationSyntax
        group part by (((BaseNamespaceDeclarationSyntax)part.Parent!).Name.ToString(), part.Identifier.Text, part.Arity) into type
        let lines = type.Sum(
            part => part.GetLocation().GetLineSpan() is var span ? span.EndLinePosition.Line - span.StartLinePosition.Line + 1 : 0)
        where lines > MaxTypeLines
        select $"{type.Key.Item1}.{type.Key.Text} has {lines} lines in {type.Count()} parts; divide its jobs at {MaxTypeLines}");

    /// <summary>Registrations are where programs look for them without a using of ours.</summary>
    [Fact]
    public void A_namespace_is_the_folder() => AssertNone(
        from file in s_product.Value
        from space in file.Syntax.DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>()
        let expected = file.Path.EndsWith("ServiceCollectionExtensions.cs", StringComparison.Ordinal)
            ? "Microsoft.Extensions.DependencyInjection"
            : file.Path.EndsWith("OrchestratorDashboardExtensions.cs", StringComparison.Ordinal)
            ? "Microsoft.AspNetCore.Builder" : Path.GetDirectoryName(file.Path)!["src/".Length..].Replace('/', '.')
        where space.Name.ToString() != expected
        select $"{file.Path} is in {space.Name}, not in {expected}");

    /// <summary>A method that needs a lock says so by its name, and checks it in debug builds.</summary>
    [Fact]
    public void A_method_that_needs_a_lock_asserts_that_it_is_held() => AssertNone(
        from file in s_product.Value
        from method in file.Syntax.DescendantNodes().OfType<MethodDeclarationSyntax>()
        where method.Identifier.Text.EndsWith("Locked", StringComparison.Ordinal)
            && !method.Modifiers.Any(modifier => modifier.ValueText == "abstract")
            && method.Body?.Statements.FirstOrDefault()?.ToString().Contains(".IsHeldByCurrentThread", StringComparison.Ordinal) != true
        select $"{file.Path}: {method.Identifier} begins without Debug.Assert(….IsHeldByCurrentThread)");

    /// <summary>An exception in a timer's callback ends the process, so all timers of the coordinator catch it.</summary>
    [Fact]
    public void A_timer_of_the_coordinator_survives_what_it_calls()
    {
        string[] guarded = ["PeriodicCheck.cs", "EngineTimer.cs", "MonotonicClock.cs"];
        AssertNone(
            from file in s_product.Value
            where file.Path.StartsWith("src/Orchestrator.Coordinator/", StringComparison.Ordinal)
                && !guarded.Contains(Path.GetFileName(file.Path))
            from call in file.Syntax.DescendantNodes().OfType<InvocationExpressionSyntax>()
            where call.Expression.ToString().EndsWith("CreateTimer", StringComparison.Ordinal)
            select $"{file.Path}: use PeriodicCheck instead of {call.Expression}");
    }

    /// <summary>A line break in a raw string would be part of it.</summary>
    private static HashSet<int> LinesOfRawStrings(string path) =>
    [
        .. from token in CSharpSyntaxTree.ParseText(File.ReadAllText(Repository.PathOf(path))).GetRoot().DescendantTokens()
           where token.Text.Contains("\"\"\"", StringComparison.Ordinal)
           let whole = token.Parent!.GetLocation().GetLineSpan()
           from line in Enumerable.Range(whole.StartLinePosition.Line, whole.EndLinePosition.Line - whole.StartLinePosition.Line + 1)
           select line,
    ];

    private static IEnumerable<string> Files(string folder) =>
        from path in Directory.EnumerateFiles(Repository.PathOf(folder), "*.cs", SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(Repository.Root, path)
        where !relative.Split('/').Any(part => part is "obj" or "bin" or "node_modules")
        select relative;

    private static void AssertNone(IEnumerable<string> faults)
    {
        var found = faults.ToArray();
        Assert.True(found.Length == 0, string.Join(Environment.NewLine, found));
    }
}

using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Orchestrator.TestKit;

namespace Orchestrator.Architecture.Tests;

/// <summary>
/// The C# blocks of the documentation compile: whole programs with the implicit usings of their SDK and without a warning, and fragments
/// inside the program that their info string names (<c>in: client</c>).
/// </summary>
public sealed class DocumentationCodeTests
{
    private const string Block = "// the block";

    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private const string WebUsings = """
        global using System.Net.Http.Json;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Hosting;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Routing;
        global using Microsoft.Extensions.Configuration;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;
        """;

    private const string ClientUsings = """
        using Orchestrator.Client;
        using Orchestrator.Client.Connection;
        using Orchestrator.Client.Errors;
        using Orchestrator.Client.Objects;
        using Orchestrator.Client.Results;
        using Orchestrator.Client.Tasks;
        """;

    private const string WorkerUsings = """
        using System.Runtime.CompilerServices;
        using Microsoft.Extensions.Logging;
        using Orchestrator.Client.Objects;
        using Orchestrator.Worker.Hosting;
        using Orchestrator.Worker.Payloads;
        using Orchestrator.Worker.Tasks;
        """;

    /// <summary>The programs around fragments; docs/README.md describes them.</summary>
    private static readonly Dictionary<string, string> s_programs = new(StringComparer.Ordinal)
    {
        [""] = Block,
        ["web"] = Block,
        ["in: client"] = $"""
            {ClientUsings}
            await using var client = await OrchestratorClient.ConnectAsync();
            {Block}
            """,
        ["in: session"] = $"""
            {ClientUsings}
            await using var client = await OrchestratorClient.ConnectAsync();
            await using var session = await client.OpenSessionAsync();
            {Block}
            """,
        ["in: worker"] = $"""
            {WorkerUsings}
            var worker = OrchestratorWorker.CreateBuilder(args);
            {Block}
            return await worker.RunAsync();
            """,
        ["in: handler"] = $$"""
            {{WorkerUsings}}
            var worker = OrchestratorWorker.CreateBuilder(args);
            worker.MapTask("example", async (int input, TaskContext context) =>
            {
                var ct = context.CancellationToken;
            {{Block}}
                return input;
            });
            return await worker.RunAsync();
            """,
        ["in: pool"] = $$"""
            using Orchestrator.App;
            using Orchestrator.Client.Tasks;
            using Orchestrator.Worker.Tasks;
            var app = OrchestratorApp.Create(args);
            var square = app.MapTask("square", (long n) => n * n);
            return await app.RunAsync(async pool =>
            {
            {{Block}}
            });
            """,
    };

    private static readonly CSharpParseOptions s_parsing = new(LanguageVersion.Latest);

    /// <summary>What the SDK turns off: warnings of assemblies of another version.</summary>
    private static readonly Dictionary<string, ReportDiagnostic> s_asBuilt =
        new(StringComparer.Ordinal) { ["CS1701"] = ReportDiagnostic.Suppress, ["CS1702"] = ReportDiagnostic.Suppress };

    private static readonly Lazy<IReadOnlyList<MetadataReference>> s_references = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(
            path => MetadataReference.CreateFromFile(path))]);

    private static IEnumerable<DocumentationBlock> AllBlocks =>
        Documentation.Blocks("csharp").Concat(Documentation.PackageBlocks("csharp"));

    public static TheoryData<string> Blocks => [.. AllBlocks.Select(block => block.ToString())];

    /// <summary>Whether the rest of an info string names a program.</summary>
    internal static bool Knows(string info) => s_programs.ContainsKey(info);

    [Theory]
    [MemberData(nameof(Blocks))]
    public void It_compiles(string place)
    {
        var block = AllBlocks.Single(candidate => candidate.ToString() == place);
        Assert.Empty(block.NoRun is null ? ErrorsOf(block.Info, block.Text, block) : ParseErrorsOf(block.Text));
    }

    [Fact]
    public void A_wrong_block_does_not_compile()
    {
        var place = new DocumentationBlock("example.md", 7, "csharp", "in: client", "");
        Assert.Empty(ErrorsOf(place.Info, "await client.GetStatusAsync();", place));
        var error = Assert.Single(ErrorsOf(place.Info, "await client.GetNothingAsync();", place));
        Assert.StartsWith("example.md(7,", error, StringComparison.Ordinal);
    }

    private static string[] ErrorsOf(string info, string text, DocumentationBlock place)
    {
        // Errors are reported at their place on the page.
        var program = s_programs[info].Replace(
            Block, $"#line {place.Line} \"{place.Page}\"\n{text}\n#line default", StringComparison.Ordinal);
        var usings = info == "web" ? $"{ImplicitUsings}\n{WebUsings}" : ImplicitUsings;
        var compilation = CSharpCompilation.Create(
            "Example",
            [Parse(program), Parse(usings)],
            s_references.Value,
            new CSharpCompilationOptions(
                OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable,
                specificDiagnosticOptions: s_asBuilt));
        // A reader copies whole programs, which are to compile without a warning, too.
        return Errors(compilation.GetDiagnostics(), info is "" or "web" ? DiagnosticSeverity.Warning : DiagnosticSeverity.Error);
    }

    private static string[] ParseErrorsOf(string text) => Errors(Parse(text).GetDiagnostics(), DiagnosticSeverity.Error);

    private static SyntaxTree Parse(string text) => CSharpSyntaxTree.ParseText(text, s_parsing);

    private static string[] Errors(IEnumerable<Diagnostic> diagnostics, DiagnosticSeverity least) =>
    [
        .. from diagnostic in diagnostics
           where diagnostic.Severity >= least
           let at = diagnostic.Location.GetMappedLineSpan()
           let message = diagnostic.GetMessage(CultureInfo.InvariantCulture)
           select $"{at.Path}({at.StartLinePosition.Line + 1},{at.StartLinePosition.Character + 1}): {message}",
    ];
}

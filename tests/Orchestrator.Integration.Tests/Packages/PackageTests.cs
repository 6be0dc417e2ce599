using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Packages;

/// <summary>
/// Someone who has the packages and nothing else: templates, a web program, a client, the tool, the first page. And what the packages
/// promise: the tests of the client pass on its own, and a public member stays. Explicit, since it builds all of it:
/// <c>scripts/accept packages</c>.
/// </summary>
[Trait("Kind", "slow")]
public sealed class PackageTests(PackageFeed feed) : IClassFixture<PackageFeed>
{
    /// <summary>What the tool's package may take, its native workers included.</summary>
    private const long MaxToolBytes = 20_000_000;

    [Fact(Explicit = true)]
    public async Task A_pool_of_the_template_builds_without_a_warning_and_runs()
    {
        await feed.MakeAsync();
        var output = await feed.BuildAsync("orchestrator-app", "MyPool", null, null);
        var printed = await feed.OkAsync(feed.Programs, "dotnet", Path.Combine(output, "MyPool.dll"));
        Assert.Equal(
            Enumerable.Range(1, 10).Select(n => $"{n * n}").Order(),
            printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        Assert.All(
            Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories).Where(
                file => file.Contains("/native/", StringComparison.Ordinal)),
            file => Assert.Matches("/runtimes/linux(-musl)?-", file));
    }

    [Fact(Explicit = true)]
    public async Task A_worker_of_the_template_serves_a_coordinator_of_the_tool_and_a_client_calls_it()
    {
        await feed.MakeAsync();
        var worker = await feed.BuildAsync("orchestrator-worker", "MyWorker", null, null);
        var client = await feed.BuildAsync("console", "MyClient", "Orchestrator.Client", """
            using Orchestrator.Client;
            using Orchestrator.Client.Tasks;

            await using var client = await OrchestratorClient.ConnectAsync();
            Console.WriteLine(await client.RunAsync<long>("square", 12));
            """);
        using var data = new TemporaryDirectory();
        await using var coordinator = await ServeAsync(
            data.Path, "--worker-command", $"dotnet {Path.Combine(worker, "MyWorker.dll")}");
        Assert.Equal(
            "144", (await feed.OkAsync(feed.Programs, feed.Tool, "run", "square", "12", "--data-dir", data.Path)).Trim());
        Assert.Equal(
            "144",
            (await feed.OkAsync(
                feed.Programs, "env", $"ORCHESTRATOR_DATA_DIR={data.Path}", "dotnet", Path.Combine(client, "MyClient.dll"))).Trim());
    }

    [Fact(Explicit = true)]
    public async Task A_web_program_builds_without_a_warning_and_answers()
    {
        await feed.MakeAsync();
        var output = await feed.BuildAsync("web", "MyWeb", "Orchestrator.App", """
            using Orchestrator.App;
            using Orchestrator.Worker.Tasks;

            var app = OrchestratorApp.Create(args);
            var square = app.MapTask("square", (long n) => n * n);
            if (app.IsWorker)
                return await app.RunWorkerAsync();

            var builder = WebApplication.CreateBuilder([.. app.Args]);
            builder.Services.AddOrchestrator(app);
            var web = builder.Build();
            web.MapGet("/square/{n:long}", async (long n, IOrchestratorPool pool) => await pool.RunAsync(square, n));
            await web.RunAsync();
            return 0;
            """);
        await using var web = await InstalledProgram.StartAsync(
            feed, "Now listening on: ", "dotnet", Path.Combine(output, "MyWeb.dll"), "--urls", "http://127.0.0.1:0");
        var address = web.Ready[(web.Ready.IndexOf("http", StringComparison.Ordinal))..].Trim();
        using var http = new HttpClient();
        Assert.Equal("144", await http.GetStringAsync(new Uri($"{address}/square/12")));
    }

    /// <summary>Getting started, "Packages": its blocks in an empty directory, with the folder as a source.</summary>
    [Fact(Explicit = true)]
    public async Task The_commands_of_the_first_page_work_as_printed()
    {
        await feed.MakeAsync();
        string[] blocks =
            [.. Documentation.Blocks("sh").Where(block => block.Info == DocumentationBlock.Packages).Select(block => block.Text)];
        Assert.Equal(2, blocks.Length);
        var (pool, others) = (blocks[0], blocks[1]);
        var folder = Path.Combine(feed.Programs, "first-page");
        Directory.CreateDirectory(folder);
        Assert.Equal(3, pool.TrimEnd().Split('\n').Length);
        var printed = await RunAsync(pool);
        Assert.DoesNotContain("warning", printed, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(
            Enumerable.Range(1, 10).Select(n => $"{n * n}").Order(),
            printed.Split('\n').Where(line => int.TryParse(line, out _)).Order());

        var lines = others.TrimEnd().Split('\n');
        Assert.Equal("orchestrator serve --worker-command MyWorker/out/MyWorker", lines[^1]);
        await RunAsync(string.Join('\n', lines[..^1]));
        await RunAsync("dotnet build MyWeb -warnaserror && dotnet build MyClient -warnaserror");
        using var data = new TemporaryDirectory();
        await using var coordinator = await ServeAsync(
            data.Path, "--worker-command", Path.Combine(folder, "MyWorker/out/MyWorker"));
        Assert.Equal("144", (await RunAsync($"orchestrator run square 12 --data-dir {data.Path}")).Trim());

        // With a home of its own: the templates and the tool are installed as if for the first time.
        Task<string> RunAsync(string script)
        {
            var home = feed.Scratch("first-home");
            return feed.OkAsync(
                folder, "env", $"DOTNET_CLI_HOME={home}", "bash", "-euo", "pipefail", "-c",
                $"PATH=\"{home}/.dotnet/tools:$PATH\"\n{script}");
        }
    }

    [Fact(Explicit = true)]
    public async Task The_clients_tests_pass_on_its_package()
    {
        await feed.MakeAsync();
        var artifacts = feed.Scratch("client-tests");
        await feed.OkAsync(
            Repository.Root, "dotnet", "build", "tests/Orchestrator.Client.Tests", "-c", "Release", "-nodeReuse:false",
            "-p:UseSharedCompilation=false", "-p:RunAnalyzers=false", $"-p:ClientFromPackage={feed.Version}",
            $"-p:RestoreAdditionalProjectSources={feed.Folder}", $"-p:ArtifactsPath={artifacts}/");
        var output = Path.Combine(artifacts, "bin", "Orchestrator.Client.Tests", "release");
        // What is tested is the package's own assembly.
        using (var package = await ZipFile.OpenReadAsync(Path.Combine(feed.Folder, $"Orchestrator.Client.{feed.Version}.nupkg")))
        {
            await using var packed = await package.GetEntry("lib/net10.0/Orchestrator.Client.dll")!.OpenAsync();
            await using var built = File.OpenRead(Path.Combine(output, "Orchestrator.Client.dll"));
            Assert.Equal(await SHA256.HashDataAsync(packed), await SHA256.HashDataAsync(built));
        }

        var tested = await feed.OkAsync(artifacts, Path.Combine(output, "Orchestrator.Client.Tests"), "-noColor");
        var total = Regex.Match(tested, @"Total: (\d+), Errors: 0, Failed: 0, Skipped: 0");
        Assert.True(total.Success && int.Parse(total.Groups[1].ValueSpan, CultureInfo.InvariantCulture) > 300, tested);
    }

    [Fact(Explicit = true)]
    public async Task A_public_member_that_is_removed_fails_the_build_and_the_validation_of_the_package()
    {
        await feed.MakeAsync();
        using var folder = new TemporaryDirectory();
        var copy = new ClientCopy(folder.Path);
        string[] pack =
        [
            "pack", ClientCopy.Project, "-c", "Release", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:Version=0.2.0",
            "-p:RunAnalyzers=false", "-p:EnablePackageValidation=true", $"-p:BaselineFolder={feed.Folder}",
            $"-p:BaselineVersion={feed.Version}", $"-p:PackageOutputPath={feed.Scratch("next")}",
        ];
        await feed.OkAsync(copy.Root, "dotnet", pack);

        copy.Remove("Objects/SharedEvent.cs", "ClearAsync");
        var (code, output, _) = await feed.RunAsync(
            copy.Root, "dotnet", "build", ClientCopy.Project, "-c", "Release", "-nodeReuse:false", "-p:UseSharedCompilation=false");
        Assert.NotEqual(0, code);
        Assert.Equal(["RS0017"], ErrorsOf(output));
        Assert.Contains("SharedEvent.ClearAsync(", output, StringComparison.Ordinal);

        (code, output, _) = await feed.RunAsync(copy.Root, "dotnet", pack);
        Assert.NotEqual(0, code);
        Assert.Equal(["CP0002"], ErrorsOf(output));
        Assert.Contains("SharedEvent.ClearAsync(", output, StringComparison.Ordinal);

        static IEnumerable<string> ErrorsOf(string output) =>
            Regex.Matches(output, @"error (\w+)").Select(match => match.Groups[1].Value).Distinct();
    }

    [Fact(Explicit = true)]
    public async Task The_tool_serves_with_its_own_workers()
    {
        await feed.MakeAsync();
        using var data = new TemporaryDirectory();
        await using var coordinator = await ServeAsync(data.Path, "--workers", "1");
        Assert.Equal(
            "14", (await feed.OkAsync(feed.Programs, feed.Tool, "run", "sum_of_squares", """{"n": 4}""", "--data-dir", data.Path)).Trim());
        // Native code where the tools for it were there.
        var file = Path.Combine(feed.Folder, $"Orchestrator.Cli.{feed.Version}.nupkg");
        Assert.InRange(new FileInfo(file).Length, 1, MaxToolBytes);
        using var package = await ZipFile.OpenReadAsync(file);
        var worker = package.Entries.SingleOrDefault(entry => entry.Name == "orchestrator-worker");
        Assert.Equal(File.Exists("/usr/bin/clang") && File.Exists("/usr/include/zlib.h"), worker is not null);
        Assert.True(worker is null || !Contains(worker, Repository.Root));
        Assert.Equal(
            worker is not null,
            (await feed.OkAsync(feed.Programs, feed.Tool, "status", "--data-dir", data.Path)).Contains(
                " native (1).", StringComparison.Ordinal));
    }

    [Fact(Explicit = true)]
    public async Task Every_package_says_what_it_is()
    {
        await feed.MakeAsync();
        var packages = Directory.GetFiles(feed.Folder, "*.nupkg");
        Assert.Equal(13, packages.Length);
        foreach (var path in packages)
        {
            using var package = ZipFile.OpenRead(path);
            using var nuspec = package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
            var metadata = XDocument.Load(nuspec).Root!.Elements().Single().Elements().ToDictionary(
                element => element.Name.LocalName, element => element.Value);
            Assert.Equal("MIT", metadata["license"]);
            Assert.All((string[])["readme", "icon"], name => Assert.NotNull(package.GetEntry(metadata[name])));
            Assert.All((string[])["description", "tags", "authors"], name => Assert.NotEmpty(metadata[name]));
            var isTemplate = path.Contains(".Templates.", StringComparison.Ordinal);
            Assert.Equal(!isTemplate, File.Exists(Path.ChangeExtension(path, ".snupkg")));
            // Compiled with the paths of the sources mapped: the same sources give the same package anywhere.
            Assert.DoesNotContain(
                package.Entries.Where(entry => entry.Name.StartsWith("Orchestrator.", StringComparison.Ordinal) && entry.Name.EndsWith(
                    ".dll", StringComparison.Ordinal)),
                entry => Contains(entry, Repository.Root));
        }
    }

    /// <summary>The installed command, as a coordinator on free ports.</summary>
    private Task<InstalledProgram> ServeAsync(string directory, params string[] arguments) => InstalledProgram.StartAsync(
        feed, "Orchestrator is ready", feed.Tool,
        ["serve", "--grpc-port", "0", "--http-port", "0", "--data-dir", directory, .. arguments]);

    private static bool Contains(ZipArchiveEntry entry, string text)
    {
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray().AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(text)) >= 0;
    }
}

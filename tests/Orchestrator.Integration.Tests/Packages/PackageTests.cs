using System.IO.Compression;
using System.Xml.Linq;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Packages;

/// <summary>
/// Someone who has the packages and nothing else: templates, a web program, a client, the tool. Explicit, since it builds all of it:
/// <c>scripts/accept packages</c>.
/// </summary>
[Trait("Kind", "slow")]
public sealed class PackageTests(PackageFeed feed) : IClassFixture<PackageFeed>
{
    private const long MaxOutputBytes = 15_000_000;

    [Fact(Explicit = true)]
    public async Task A_pool_of_the_template_builds_without_a_warning_and_runs()
    {
        await feed.MakeAsync();
        var output = await feed.BuildAsync("orchestrator-app", "MyPool", null, null);
        var printed = await feed.OkAsync(feed.Programs, "dotnet", Path.Combine(output, "MyPool.dll"));
        Assert.Equal(
            Enumerable.Range(1, 10).Select(n => $"{n * n}").Order(),
            printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        var bytes = new DirectoryInfo(output).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        Assert.InRange(bytes, 1, MaxOutputBytes);
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
        await using var coordinator = await InstalledCoordinator.StartAsync(
            feed, data.Path, "--worker-command", $"dotnet {Path.Combine(worker, "MyWorker.dll")}");
        Assert.Equal(
            "144", (await feed.OkAsync(feed.Programs, feed.Tool, "run", "square", "12", "--data-dir", data.Path)).Trim());
        Assert.Equal(
            "144",
            (await feed.OkAsync(
                feed.Programs, "env", $"ORCHESTRATOR_DATA_DIR={data.Path}", "dotnet", Path.Combine(client, "MyClient.dll"))).Trim());
    }

    [Fact(Explicit = true)]
    public async Task A_web_program_builds_without_a_warning()
    {
        await feed.MakeAsync();
        await feed.BuildAsync("web", "MyWeb", "Orchestrator.App", """
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
    }

    [Fact(Explicit = true)]
    public async Task The_tool_serves_with_its_own_workers()
    {
        await feed.MakeAsync();
        using var data = new TemporaryDirectory();
        await using var coordinator = await InstalledCoordinator.StartAsync(feed, data.Path, "--workers", "1");
        Assert.Equal(
            "14", (await feed.OkAsync(feed.Programs, feed.Tool, "run", "sum_of_squares", """{"n": 4}""", "--data-dir", data.Path)).Trim());
    }

    [Fact(Explicit = true)]
    public async Task Every_package_says_what_it_is()
    {
        await feed.MakeAsync();
        var packages = Directory.GetFiles(feed.Folder, "*.nupkg");
        Assert.Equal(11, packages.Length);
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

    private static bool Contains(ZipArchiveEntry entry, string text)
    {
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray().AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(text)) >= 0;
    }
}

using System.Diagnostics;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Packages;

/// <summary>
/// The packages as <c>scripts/pack</c> makes them, in a folder that serves as a feed, and an empty directory beside it for programs that
/// use them. Nothing of it reaches the user's own package cache, templates or tools.
/// </summary>
public sealed class PackageFeed : IDisposable
{
    /// <summary>What a program and all that it needs beyond the framework may take.</summary>
    private const long MaxOutputBytes = 15_000_000;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly TemporaryDirectory _root = new();
    private Task? _made;

    /// <summary>The folder with the packages.</summary>
    public string Folder => Path.Combine(_root.Path, "feed");

    /// <summary>Where programs are made.</summary>
    public string Programs => Path.Combine(_root.Path, "programs");

    /// <summary>The installed command.</summary>
    public string Tool => Path.Combine(_root.Path, "tools", "orchestrator");

    /// <summary>The version of the packages.</summary>
    public string Version { get; private set; } = "";

    /// <summary>A folder beside it, for what else a test builds.</summary>
    public string Scratch(string name) => Path.Combine(_root.Path, name);

    /// <summary>Makes them, once. Not when the fixture is created: that happens also where all of its tests are left out.</summary>
    public Task MakeAsync() => _made ??= PackAsync();

    public void Dispose() => _root.Dispose();

    private async Task PackAsync()
    {
        Directory.CreateDirectory(Programs);
        await OkAsync(Repository.Root, Repository.PathOf("scripts", "pack"), Folder);
        Version = Path.GetFileName(Directory.GetFiles(Folder, "Orchestrator.Client.*.nupkg").Single())
            ["Orchestrator.Client.".Length..^".nupkg".Length];
        await File.WriteAllTextAsync(
            Path.Combine(_root.Path, "nuget.config"),
            $"""<configuration><packageSources><add key="feed" value="{Folder}" /></packageSources></configuration>""");
        await OkAsync(Programs, "dotnet", "new", "install", $"Orchestrator.Templates::{Version}", "--add-source", Folder);
        await OkAsync(
            Programs, "dotnet", "tool", "install", "Orchestrator.Cli", "--version", Version, "--tool-path", Path.GetDirectoryName(Tool)!,
            "--add-source", Folder);
    }

    /// <summary>
    /// Makes a program of a template, with one of the packages, builds it without a warning, and returns its output folder.
    /// </summary>
    public async Task<string> BuildAsync(string template, string name, string? package, string? program)
    {
        var folder = Path.Combine(Programs, name);
        await OkAsync(Programs, "dotnet", "new", template, "-o", name);
        if (package is not null)
            await OkAsync(folder, "dotnet", "add", "package", package, "--version", Version);
        if (program is not null)
            await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), program);
        await OkAsync(folder, "dotnet", "build", "-c", "Release", "-warnaserror", "-nodeReuse:false", "-p:UseSharedCompilation=false");
        var output = Path.Combine(folder, "bin", "Release", "net10.0");
        var bytes = new DirectoryInfo(output).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        Assert.InRange(bytes, 1, MaxOutputBytes);
        return output;
    }

    /// <summary>Runs a program that must succeed; returns what it printed.</summary>
    public async Task<string> OkAsync(string folder, string program, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(folder, program, arguments);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)} ended with {code}: {output}{error}");
        return output;
    }

    /// <summary>Runs a program; returns its exit code and what it printed.</summary>
    public async Task<(int Code, string Output, string Error)> RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Environment())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output, await error);
    }

    /// <summary>The variables of programs that use the packages.</summary>
    public IReadOnlyDictionary<string, string> Environment() => new Dictionary<string, string>
    {
        ["NUGET_PACKAGES"] = Path.Combine(_root.Path, "cache"),
        // What this build has fetched is not fetched again.
        ["NUGET_FALLBACK_PACKAGES"] = Path.Combine(
            System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), ".nuget", "packages"),
        ["DOTNET_CLI_HOME"] = Path.Combine(_root.Path, "home"),
        ["FEED"] = Folder,
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
        ["MSBUILDDISABLENODEREUSE"] = "1",
    };
}

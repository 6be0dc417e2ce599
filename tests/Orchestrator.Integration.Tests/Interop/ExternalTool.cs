using System.Diagnostics;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Interop;

/// <summary>
/// A program that the project does not build: found on PATH or where <c>scripts/test</c> installs it, and run to its end.
/// </summary>
internal static class ExternalTool
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>Its path, or null.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Append(Repository.PathOf("artifacts", "tools", "node_modules", ".bin"))
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);

    /// <summary>Its path; without it the test is skipped with a message that names the package to install.</summary>
    public static string Require(string name, string package)
    {
        var path = Find(name);
        if (path is null)
            Assert.Skip($"{name} is not installed ({package}); scripts/test installs it");
        return path;
    }

    public static async Task<ToolRun> RunAsync(
        string path, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(path) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new ToolRun(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}

/// <summary>A program's exit code and output.</summary>
public sealed record ToolRun(int ExitCode, string Output, string Error)
{
    /// <summary>The output of a run that must have succeeded.</summary>
    public string Succeeded()
    {
        Assert.True(ExitCode == 0, $"it ended with {ExitCode}: {Error}{Output}");
        return Output;
    }
}

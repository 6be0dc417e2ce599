using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Bench;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>
/// <c>orchestrator-bench</c>, which draws plots in a process of its own: its graphics libraries are three quarters of what it and the
/// command take.
/// </summary>
internal static class PlotProgram
{
    private const string Name = "orchestrator-bench";

    /// <summary>The program, beside the command, on the path, or as built in the source tree.</summary>
    /// <exception cref="UsageException">There is none; the message says how to get it.</exception>
    public static string Find() =>
        Places().Select(folder => Path.Combine(folder, Name)).FirstOrDefault(File.Exists)
        ?? throw new UsageException(
            $"--report needs {Name}, which draws the plots: put it beside this command or on the PATH; in the source tree, dotnet build " +
            "src/Orchestrator.Bench -c Release makes it.");

    /// <summary>Draws plots; the SVG texts are in their order.</summary>
    public static async Task<string[]> DrawAsync(IReadOnlyList<PlotSpec> plots, CancellationToken token)
    {
        var start = new ProcessStartInfo(Find()) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var reading = JsonSerializer.DeserializeAsync(process.StandardOutput.BaseStream, PlotJson.Default.StringArray, token).AsTask();
        try
        {
            await JsonSerializer.SerializeAsync(process.StandardInput.BaseStream, plots, PlotJson.Default.IReadOnlyListPlotSpec, token);
            process.StandardInput.Close();
            return await reading ?? throw new JsonException("it wrote nothing");
        }
        catch (Exception exception) when (exception is JsonException or IOException)
        {
            await process.WaitForExitAsync(token);
            throw new IOException($"{start.FileName} drew no plots and ended with {process.ExitCode}: {exception.Message}", exception);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private static IEnumerable<string> Places()
    {
        yield return AppContext.BaseDirectory;
        foreach (var folder in Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            ?? [])
            yield return folder;
        // artifacts/bin/PROJECT/CONFIGURATION
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        if (output.Parent?.Parent is { } projects)
            yield return Path.Combine(projects.FullName, "Orchestrator.Bench", output.Name);
    }
}

/// <summary>What the command and the program exchange.</summary>
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(IReadOnlyList<PlotSpec>))]
internal sealed partial class PlotJson : JsonSerializerContext;

using System.Diagnostics;

namespace Orchestrator.TestKit;

/// <summary>The built command, run to its end.</summary>
public static class CommandLine
{
    /// <summary>Runs <c>orchestrator</c> with these arguments; returns its exit code and all that it printed.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) =>
        RunAsync(new Dictionary<string, string>(), arguments);

    /// <summary>The same with variables of its environment.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(
        IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        RunProgramAsync(CoordinatorProcess.CommandPath, environment, arguments);

    /// <summary>The same with the command as it was built, where native code has less.</summary>
    public static Task<(int ExitCode, string Output)> RunBuiltAsync(params string[] arguments) =>
        RunProgramAsync(CoordinatorProcess.BuiltCommandPath, new Dictionary<string, string>(), arguments);

    /// <summary>Another program, such as a copy of the command, run to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunProgramAsync(
        string program, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}

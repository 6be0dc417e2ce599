using System.Diagnostics;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.WorkerSdk;

/// <summary>What the tests that publish native code share: one after the other, since they build in one folder.</summary>
[CollectionDefinition(Name)]
public sealed class NativeCode
{
    public const string Name = "native code";

    /// <summary>The folder of the build, that of scripts/native-worker: what both programs use is compiled once.</summary>
    public static string Artifacts => Repository.PathOf("artifacts", "native");

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <summary>Runs a program without the settings of the outer build or test run.</summary>
    public static async Task<(int Exit, string Output)> RunAsync(
        string program, string[] arguments, (string Name, string Value)[] variables, TimeSpan? limit = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        start.Environment.Remove("MSBuildSDKsPath");
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        using var process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(limit ?? Limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var error = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            return (process.ExitCode, await output + await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}

using System.Diagnostics;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>
/// The client, published as trimmed native code without warnings, works. Explicit, since the native compiler takes a minute:
/// <c>scripts/accept native</c>.
/// </summary>
[Trait("Kind", "slow")]
public sealed class AheadOfTimeTests
{
    private static readonly TimeSpan PublishLimit = TimeSpan.FromMinutes(8);

    [Fact(Explicit = true)]
    public async Task A_native_client_is_published_without_warnings_and_runs()
    {
        Assert.SkipWhen(Find("clang") is null && Find("gcc") is null, "no linker for native code here: apt-get install clang zlib1g-dev");
        Assert.SkipUnless(File.Exists("/usr/include/zlib.h"), "no zlib to link native code with: apt-get install zlib1g-dev");
        var directory = Directory.CreateTempSubdirectory("orchestrator-test-aot-").FullName;
        try
        {
            // Everything in a folder of its own: the tests run from the usual one.
            var (publishExit, publishOutput) = await RunAsync(
                "dotnet",
                [
                    "publish", Repository.PathOf("tests", "AotClient"), "-c", "Release", "-nodeReuse:false",
                    "-p:UseSharedCompilation=false",
                    "-p:PublishAot=true", "--use-current-runtime", $"-p:ArtifactsPath={Path.Combine(directory, "artifacts")}", "-o",
                    Path.Combine(directory, "out"),
                ],
                [],
                PublishLimit);
            Assert.SkipWhen(
                publishExit != 0 && publishOutput.Contains("NU1", StringComparison.Ordinal),
                $"the native compiler's package cannot be fetched here: {publishOutput}");
            Assert.True(publishExit == 0, publishOutput);
            Assert.DoesNotContain("warning", publishOutput, StringComparison.OrdinalIgnoreCase);
            await using var coordinator = await CoordinatorProcess.StartAsync();
            var (exit, output) = await RunAsync(
                Path.Combine(directory, "out", "AotClient"), [], [("ORCHESTRATOR_DATA_DIR", coordinator.DataDirectory)], SdkWaits.Patience);
            Assert.True(exit == 0, output);
            Assert.Equal("all right", output.Trim());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':')
        .Select(directory => Path.Combine(directory, program))
        .FirstOrDefault(File.Exists);

    private static async Task<(int Exit, string Output)> RunAsync(
        string program, string[] arguments, (string Name, string Value)[] variables, TimeSpan limit)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        // Settings of the outer build or test run must not apply here.
        start.Environment.Remove("MSBuildSDKsPath");
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        using var process = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(limit);
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

using Orchestrator.Integration.Tests.WorkerSdk;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>
/// The client, published as trimmed native code without warnings, works. Explicit, since the native compiler takes a minute:
/// <c>scripts/accept native</c>.
/// </summary>
[Trait("Kind", "slow")]
[Collection(NativeCode.Name)]
public sealed class AheadOfTimeTests
{
    [Fact(Explicit = true)]
    public async Task A_native_client_is_published_without_warnings_and_runs()
    {
        Assert.SkipWhen(Find("clang") is null && Find("gcc") is null, "no linker for native code here: apt-get install clang zlib1g-dev");
        Assert.SkipUnless(File.Exists("/usr/include/zlib.h"), "no zlib to link native code with: apt-get install zlib1g-dev");
        var directory = Directory.CreateTempSubdirectory("orchestrator-test-aot-").FullName;
        try
        {
            var (publishExit, publishOutput) = await NativeCode.RunAsync(
                "dotnet",
                [
                    "publish", Repository.PathOf("tests", "AotClient"), "-c", "Release", "-nodeReuse:false",
                    "-p:UseSharedCompilation=false", "-p:RunAnalyzers=false", "-p:ContinuousIntegrationBuild=true",
                    "-p:PublishAot=true", "--use-current-runtime", $"-p:ArtifactsPath={NativeCode.Artifacts}/", "-o", directory,
                ],
                []);
            Assert.SkipWhen(
                publishExit != 0 && publishOutput.Contains("NU1", StringComparison.Ordinal),
                $"the native compiler's package cannot be fetched here: {publishOutput}");
            Assert.True(publishExit == 0, publishOutput);
            Assert.DoesNotContain("warning", publishOutput, StringComparison.OrdinalIgnoreCase);
            await using var coordinator = await CoordinatorProcess.StartAsync();
            var (exit, output) = await NativeCode.RunAsync(
                Path.Combine(directory, "AotClient"), [], [("ORCHESTRATOR_DATA_DIR", coordinator.DataDirectory)], SdkWaits.Patience);
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
}

using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Packages;

/// <summary>
/// The container image, as far as it can be had without an engine: its archive is made and unpacked, and its entry point runs in a network
/// namespace of its own with the image's environment. Explicit, since it publishes the command: <c>scripts/accept packages</c>.
/// </summary>
[Trait("Kind", "slow")]
public sealed class ContainerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Fact(Explicit = true)]
    public async Task The_entry_point_serves_others_with_options_from_the_environment_alone()
    {
        using var root = new TemporaryDirectory();
        var (environment, command) = await UnpackAsync(root.Path);
        Assert.Equal("0.0.0.0", environment["ORCHESTRATOR_LISTEN"]);
        Assert.Equal("/home/app/orchestrator", environment["ORCHESTRATOR_DATA_DIR"]);

        var token = Path.Combine(root.Path, "token");
        await File.WriteAllTextAsync(token, new string('t', 40));
        environment["ORCHESTRATOR_DATA_DIR"] = Path.Combine(root.Path, "data");
        environment["ORCHESTRATOR_TOKEN_FILE"] = token;
        environment["ORCHESTRATOR_LOG_FORMAT"] = "json";
        environment["ORCHESTRATOR_WORKERS"] = "1";
        environment["ORCHESTRATOR_ALLOW_HOST"] = "10.200.7.2";
        await using var host = await NetworkNamespace.StartAsync(command, environment);
        Assert.SkipWhen(host is null, "this user may not make network namespaces (unshare --net, ip)");
        var ready = await host.ReadLineAsync(line => line.Contains("\"Started\"", StringComparison.Ordinal)).WaitAsync(Limit);
        var fields = JsonDocument.Parse(ready).RootElement.GetProperty("fields");
        Assert.Equal(1, fields.GetProperty("workers").GetInt32());

        // From another network namespace, which is another machine to it.
        using var trusting = new HttpClient(new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, certificate, _, _) => string.Join(
                ':', certificate!.GetCertHash(System.Security.Cryptography.HashAlgorithmName.SHA256).Select(part => $"{part:X2}"))
                    == fields.GetProperty("fingerprint").GetString(),
        });
        Assert.Equal("ready\n", await trusting.GetStringAsync(new Uri($"https://{NetworkNamespace.Address}:7601/readyz")));
        var (code, output) = await CommandLine.RunAsync(
            "run", "sum_of_squares", """{"n": 4}""", "--endpoint", $"https://{NetworkNamespace.Address}:7600", "--token",
            new string('t', 40), "--ca", Path.Combine(environment["ORCHESTRATOR_DATA_DIR"], "tls-cert.pem"));
        Assert.True(code == 0, output);
        Assert.Equal("14", output.Trim());
        Assert.All(host.Output, line => JsonDocument.Parse(line));
    }

    /// <summary>Makes the archive, unpacks it, and returns the image's environment and its command line.</summary>
    private static async Task<(Dictionary<string, string> Environment, string[] Command)> UnpackAsync(string root)
    {
        var archive = Path.Combine(root, "image.tar.gz");
        using (var registry = new BaseImageRegistry())
        {
            using var publish = Process.Start(new ProcessStartInfo("dotnet",
                [
                    "publish", Repository.PathOf("src", "Orchestrator.Cli"), "-c", "Release", "/t:PublishContainer", "-nodeReuse:false",
                    "-p:UseSharedCompilation=false", "-p:RunAnalyzers=false", $"-p:ArtifactsPath={Path.Combine(root, "artifacts")}/",
                    $"-p:ContainerBaseImage={registry.Image}", $"-p:ContainerArchiveOutputPath={archive}",
                ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var output = Task.WhenAll(publish.StandardOutput.ReadToEndAsync(), publish.StandardError.ReadToEndAsync());
            try
            {
                await publish.WaitForExitAsync().WaitAsync(Limit);
            }
            catch (TimeoutException)
            {
                publish.Kill(entireProcessTree: true);
                throw;
            }

            Assert.True(publish.ExitCode == 0, string.Concat(await output));
        }

        var image = Path.Combine(root, "image");
        await UnpackAsync(archive, image, isZipped: archive.EndsWith(".gz", StringComparison.Ordinal));
        var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(image, "manifest.json"))).RootElement[0];
        var files = Path.Combine(root, "files");
        foreach (var layer in manifest.GetProperty("Layers").EnumerateArray())
            await UnpackAsync(Path.Combine(image, layer.GetString()!), files, isZipped: true);
        var path = Path.Combine(image, manifest.GetProperty("Config").GetString()!);
        var config = JsonDocument.Parse(await File.ReadAllTextAsync(path)).RootElement.GetProperty("config");
        return (
            config.GetProperty("Env").EnumerateArray().Select(item => item.GetString()!.Split('=', 2))
                .Where(pair => pair[0] != "PATH").ToDictionary(pair => pair[0], pair => pair[1]),
            [.. config.GetProperty("Entrypoint").EnumerateArray().Concat(config.GetProperty("Cmd").EnumerateArray()).Select(
                item => item.GetString()!.StartsWith("/app/", StringComparison.Ordinal) ? files + item.GetString() : item.GetString()!)]);
    }

    private static async Task UnpackAsync(string archive, string folder, bool isZipped)
    {
        Directory.CreateDirectory(folder);
        await using var file = File.OpenRead(archive);
        // A layer may be stored zipped or not.
        var zipped = isZipped && file.ReadByte() == 0x1f;
        file.Position = 0;
        await using Stream content = zipped ? new GZipStream(file, CompressionMode.Decompress) : file;
        await TarFile.ExtractToDirectoryAsync(content, folder, overwriteFiles: true);
    }
}

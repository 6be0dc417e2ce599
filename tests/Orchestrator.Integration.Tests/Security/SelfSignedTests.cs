using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>A coordinator that makes its own certificate, and one that gets the owner's token from a mounted file.</summary>
public sealed class SelfSignedTests
{
    private const string Certificate = "tls-cert.pem";

    [Fact]
    public async Task It_listens_for_other_machines_with_a_certificate_of_its_own()
    {
        using var directory = new TemporaryDirectory();
        string[] arguments = ["--listen", "0.0.0.0", "--tls-self-signed", "--workers", "1"];
        string fingerprint;
        await using (var coordinator = await CoordinatorProcess.StartInAsync(directory, arguments))
        {
            Assert.StartsWith("https://localhost:", coordinator.GrpcAddress, StringComparison.Ordinal);
            fingerprint = FingerprintOf(directory);
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(directory.Path, "tls-key.pem")));

            // Clients that find it by its data directory trust that certificate; others name it.
            await using (await OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = directory.Path }))
            {
            }

            var named = new OrchestratorClientOptions
            {
                Endpoint = coordinator.GrpcAddress,
                Token = coordinator.Token,
                CertificateAuthority = Path.Combine(directory.Path, Certificate),
            };
            await using (await OrchestratorClient.ConnectAsync(named))
            {
            }

            await Assert.ThrowsAsync<CoordinatorUnavailableException>(
                () => OrchestratorClient.ConnectAsync(named with { CertificateAuthority = null }));
            coordinator.Terminate();
            await coordinator.WaitForExitAsync();
            Assert.Contains(fingerprint, coordinator.Output, StringComparison.Ordinal);
        }

        // A restart changes nothing for clients that compare it.
        await using (await CoordinatorProcess.StartInAsync(directory, arguments))
            Assert.Equal(fingerprint, FingerprintOf(directory));
        // A name that it lacks needs another.
        await using (await CoordinatorProcess.StartInAsync(directory, [.. arguments, "--allow-host", "jobs.example"]))
            Assert.NotEqual(fingerprint, FingerprintOf(directory));
    }

    [Fact]
    public void It_is_made_again_before_it_expires_and_where_it_is_damaged()
    {
        using var directory = new TemporaryDirectory();
        var now = DateTimeOffset.UtcNow;
        SelfSignedCertificate.Ensure(directory.Path, ["jobs.example", "10.1.2.3"], now);
        var first = FingerprintOf(directory);
        using (var made = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(directory.Path, Certificate)))
        {
            Assert.All(
                (string[])["jobs.example", "10.1.2.3", "localhost", "127.0.0.1", "::1"],
                name => Assert.True(made.MatchesHostname(name), name));
            Assert.InRange(made.NotAfter.ToUniversalTime() - now.UtcDateTime, TimeSpan.FromDays(700), TimeSpan.FromDays(731));
        }

        SelfSignedCertificate.Ensure(directory.Path, ["jobs.example"], now + TimeSpan.FromDays(600));
        Assert.Equal(first, FingerprintOf(directory));
        SelfSignedCertificate.Ensure(directory.Path, [], now + TimeSpan.FromDays(680));
        var second = FingerprintOf(directory);
        Assert.NotEqual(first, second);
        File.WriteAllText(Path.Combine(directory.Path, "tls-key.pem"), "");
        SelfSignedCertificate.Ensure(directory.Path, [], now);
        Assert.NotEqual(second, FingerprintOf(directory));
    }

    [Fact]
    public async Task The_token_of_a_mounted_file_is_the_owners_and_may_be_replaced()
    {
        using var mount = new TemporaryDirectory();
        var file = Path.Combine(mount.Path, "token");
        var (old, fresh) = (new string('a', 40), new string('b', 40));
        await File.WriteAllTextAsync(file, old + "\n");
        await using var coordinator = await CoordinatorProcess.StartAsync("--token-file", file, "--workers", "0");
        Assert.Equal(old, coordinator.Token);
        var options = new OrchestratorClientOptions { Endpoint = coordinator.GrpcAddress, Token = fresh };
        await Assert.ThrowsAsync<AccessDeniedException>(() => OrchestratorClient.ConnectAsync(options));
        await File.WriteAllTextAsync(file, fresh + "\n");
        // An unknown token makes it look at the file.
        await using (await OrchestratorClient.ConnectAsync(options))
        {
        }

        await Assert.ThrowsAsync<AccessDeniedException>(() => OrchestratorClient.ConnectAsync(options with { Token = old }));
    }

    [Theory]
    [InlineData(null, "does not exist")]
    [InlineData("short", "must hold a token of 32 to 256 printable ASCII characters")]
    [InlineData("aaaaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaaaa", "must hold a token of 32 to 256 printable ASCII characters")]
    public async Task A_file_without_a_token_is_named(string? content, string expected)
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "mounted");
        if (content is not null)
            await File.WriteAllTextAsync(file, content);
        var (code, output) = await CommandLine.RunAsync(
            "serve", "--token-file", file, "--grpc-port", "0", "--http-port", "0", "--workers", "0", "--data-dir",
            Path.Combine(directory.Path, "data"));
        Assert.Equal(1, code);
        Assert.Contains($"--token-file {file} {expected}", output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
    }

    private static string FingerprintOf(TemporaryDirectory directory)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(directory.Path, Certificate));
        return string.Join(':', certificate.GetCertHash(HashAlgorithmName.SHA256).Select(part => $"{part:X2}"));
    }
}

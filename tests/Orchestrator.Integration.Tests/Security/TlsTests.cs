using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>TLS and client certificates, from the client SDK, the command and Python.</summary>
public sealed class TlsTests(PythonStubs stubs) : IClassFixture<PythonStubs>
{
    [Theory]
    [InlineData("--tls-cert and --tls-key are missing", "--listen", "0.0.0.0")]
    [InlineData("--tls-cert and --tls-key are missing", "--listen", "::")]
    [InlineData("--no-auth is for loopback only", "--listen", "0.0.0.0", "--no-auth")]
    [InlineData("--tls-key is missing", "--listen", "0.0.0.0", "--tls-cert", "server.pem")]
    [InlineData("--tls-cert is missing", "--tls-key", "server.key")]
    [InlineData("--tls-cert and --tls-key are missing", "--client-ca", "ca.pem")]
    [InlineData("'elsewhere' is not an address", "--listen", "elsewhere")]
    public async Task What_would_be_open_to_others_does_not_start_and_names_the_missing_flag(string expected, params string[] arguments)
    {
        using var directory = new TemporaryDirectory();
        var (exitCode, output) = await CommandLine.RunAsync(
            ["serve", "--grpc-port", "0", "--http-port", "0", "--data-dir", directory.Path, .. arguments]);
        Assert.Equal(2, exitCode);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Path));
    }

    [Fact]
    public async Task Files_that_cannot_be_used_are_named()
    {
        using var certificates = new TestCertificates();
        using var directory = new TemporaryDirectory();
        var (certificate, _) = certificates.Server();
        var (exitCode, output) = await CommandLine.RunAsync(
            "serve", "--grpc-port", "0", "--http-port", "0", "--data-dir", directory.Path, "--tls-cert", certificate, "--tls-key",
            certificates.Authority);
        Assert.Equal(1, exitCode);
        Assert.Contains(
            $"--tls-cert and --tls-key ({certificate} and {certificates.Authority}) cannot be used", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_tls_the_token_is_still_asked_for_and_a_stranger_authority_is_not_trusted()
    {
        using var certificates = new TestCertificates();
        using var others = new TestCertificates("another authority");
        var (certificate, key) = certificates.Server();
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--listen", "0.0.0.0", "--tls-cert", certificate, "--tls-key", key, "--workers", "1");
        Assert.StartsWith("https://localhost:", coordinator.GrpcAddress, StringComparison.Ordinal);
        Assert.StartsWith("https://localhost:", coordinator.HttpAddress, StringComparison.Ordinal);

        var options =
            new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory, CertificateAuthority = certificates.Authority };
        await using (var client = await OrchestratorClient.ConnectAsync(options))
        {
            var result = await client.Contract.RunTaskAsync(Specs.Json("sum_of_squares", """{"n": 4}"""));
            Assert.Equal(14, result.Output.Json.NumberValue);
        }

        await Assert.ThrowsAsync<AccessDeniedException>(() => OrchestratorClient.ConnectAsync(options with { Token = "wrong" }));
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(
            () => OrchestratorClient.ConnectAsync(options with { CertificateAuthority = others.Authority }));
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(() => OrchestratorClient.ConnectAsync(
            options with { Endpoint = coordinator.GrpcAddress.Replace("https", "http", StringComparison.Ordinal) }));

        var (exitCode, output) = await CommandLine.RunAsync(
            "run", "sum_of_squares", """{"n": 3}""", "--data-dir", coordinator.DataDirectory, "--ca", certificates.Authority);
        Assert.True(exitCode == 0 && output.Contains('5', StringComparison.Ordinal), output);

        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = Trusting(certificates) });
        Assert.Equal("ready", (await http.GetStringAsync(new Uri(coordinator.HttpAddress + "/readyz"))).Trim());
    }

    [Fact]
    public async Task A_client_certificate_is_required_and_is_the_credential()
    {
        using var certificates = new TestCertificates();
        using var others = new TestCertificates("another authority");
        await using var coordinator = await StartMutualAsync(certificates);
        var none = coordinator.Connect(token: "", tls: Trusting(certificates));
        await AssertNoHandshakeAsync(none);
        await AssertNoHandshakeAsync(coordinator.Connect(tls: Trusting(certificates, others.Client())));

        // It may submit, which is the default role, and not operate; an additional token changes that.
        var tls = Trusting(certificates, certificates.Client());
        var byCertificate = coordinator.Connect(token: "", tls: tls);
        var answer = await new TaskService.TaskServiceClient(byCertificate).RunTaskAsync(
            new RunTaskRequest { Task = Specs.Json("sum_of_squares", """{"n": 4}""") }, CoordinatorProcess.Deadline());
        Assert.Equal(14, answer.Result.Output.Json.NumberValue);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await new AdminService.AdminServiceClient(byCertificate)
            .ScaleWorkersAsync(new ScaleWorkersRequest { Workers = 1 }, CoordinatorProcess.Deadline()));
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
        Assert.Contains("CN=client", refused.Status.Detail, StringComparison.Ordinal);
        await new AdminService.AdminServiceClient(coordinator.Connect(tls: tls)).ScaleWorkersAsync(
            new ScaleWorkersRequest { Workers = 1 }, CoordinatorProcess.Deadline());
        var wrong = await Assert.ThrowsAsync<RpcException>(
            async () => await new AdminService.AdminServiceClient(coordinator.Connect("wrong", tls)).GetStatusAsync(
                new GetStatusRequest(), CoordinatorProcess.Deadline()));
        Assert.Equal(StatusCode.Unauthenticated, wrong.StatusCode);

        // Probes of the HTTP port have no certificate.
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = Trusting(certificates) });
        Assert.Equal("ok", (await http.GetStringAsync(new Uri(coordinator.HttpAddress + "/healthz"))).Trim());
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(new Uri(coordinator.HttpAddress + "/metrics"))).StatusCode);
    }

    /// <summary>Part 5, 18: every route on both ports with a certificate as the credential.</summary>
    [Fact]
    public async Task Every_route_with_a_client_certificate()
    {
        using var certificates = new TestCertificates();
        await using var coordinator = await StartMutualAsync(certificates);
        await RouteMatrix.TryAllAsync(
            coordinator.GrpcAddress, coordinator.HttpAddress, "a client's certificate", null, Role.Submit,
            Trusting(certificates, certificates.Client()));
    }

    [Fact]
    public async Task A_renewed_certificate_is_taken_without_a_restart_and_a_broken_one_is_not()
    {
        using var certificates = new TestCertificates();
        var (certificate, key) = certificates.Server();
        await using var coordinator = await CoordinatorProcess.StartAsync("--tls-cert", certificate, "--tls-key", key, "--workers", "0");
        var first = await PresentedAsync(coordinator, certificates);
        certificates.Server();
        var second = await PresentedAsync(coordinator, certificates);
        Assert.NotEqual(first, second);
        await File.WriteAllTextAsync(certificate, "half a certificate");
        Assert.Equal(second, await PresentedAsync(coordinator, certificates));
    }

    [Fact]
    public async Task Python_with_a_certificate_of_its_own_runs_a_task()
    {
        Assert.SkipWhen(stubs.Missing is not null, stubs.Missing ?? "");
        using var certificates = new TestCertificates();
        await using var coordinator = await StartMutualAsync(certificates);
        var (certificate, key) = certificates.Client();
        var environment = new Dictionary<string, string>
        {
            ["PYTHONPATH"] = stubs.Directory,
            ["PYTHONDONTWRITEBYTECODE"] = "1",
            ["ORCHESTRATOR_DATA_DIR"] = coordinator.DataDirectory,
            ["ORCHESTRATOR_CA"] = certificates.Authority,
            ["ORCHESTRATOR_CERT"] = certificate,
            ["ORCHESTRATOR_KEY"] = key,
        };
        var run = await ExternalTool.RunAsync(
            PythonStubs.Interpreter, [Repository.PathOf("tests", "Interop", "python", "run_task_tls.py"), "sum_of_squares", """{"n": 4}"""],
            environment);
        Assert.Equal("14", run.Succeeded().Trim());
    }

    private static Task<CoordinatorProcess> StartMutualAsync(TestCertificates certificates)
    {
        var (certificate, key) = certificates.Server();
        return CoordinatorProcess.StartAsync(
            "--listen", "0.0.0.0", "--tls-cert", certificate, "--tls-key", key, "--client-ca", certificates.Authority, "--workers", "1");
    }

    private static async Task AssertNoHandshakeAsync(CallInvoker invoker)
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () => await new AdminService.AdminServiceClient(invoker).GetStatusAsync(
            new GetStatusRequest(), CoordinatorProcess.Deadline()));
        Assert.True(error.StatusCode is StatusCode.Unavailable or StatusCode.Internal, error.ToString());
    }

    private static SslClientAuthenticationOptions Trusting(TestCertificates certificates, (string Certificate, string Key)? own = null)
    {
        var options = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy =
                new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
        };
        options.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(certificates.Authority);
        if (own is { } pair)
            options.ClientCertificateContext = SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPemFile(pair.Certificate, pair.Key), [], offline: true);
        return options;
    }

    private static async Task<string> PresentedAsync(CoordinatorProcess coordinator, TestCertificates certificates)
    {
        using var tcp = new System.Net.Sockets.TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, new Uri(coordinator.GrpcAddress).Port);
        await using var tls = new SslStream(tcp.GetStream());
        var options = Trusting(certificates);
        options.TargetHost = "localhost";
        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        await tls.AuthenticateAsClientAsync(options);
        return tls.RemoteCertificate!.GetCertHashString();
    }
}

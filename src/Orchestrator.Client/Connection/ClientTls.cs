using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Client.Errors;

namespace Orchestrator.Client.Connection;

/// <summary>The client's side of TLS: the authorities it trusts and its own certificate.</summary>
internal static class ClientTls
{
    /// <summary>The settings for these files; null if none is named, so that the system's own authorities decide.</summary>
    /// <param name="options">The options, which may name them.</param>
    /// <param name="selfSigned">The coordinator's own certificate, trusted where no authority is named.</param>
    /// <exception cref="CoordinatorUnavailableException">A file cannot be used; the message says which and why.</exception>
    public static SslClientAuthenticationOptions? Create(OrchestratorClientOptions options, string? selfSigned = null)
    {
        var ca = Named(options.CertificateAuthority, OrchestratorClientOptions.CertificateAuthorityVariable) ?? selfSigned;
        var certificate = Named(options.Certificate, OrchestratorClientOptions.CertificateVariable);
        var key = Named(options.Key, OrchestratorClientOptions.KeyVariable);
        if (ca is null && certificate is null && key is null)
            return null;
        if (certificate is null != key is null)
        {
            throw new CoordinatorUnavailableException(
                $"A client certificate needs its key and a key its certificate: {(key is null ? "--key" : "--cert")} is missing.", null);
        }

        var tls = new SslClientAuthenticationOptions();
        if (ca is not null)
        {
            tls.CertificateChainPolicy =
                new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            Read(ca, () => tls.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(ca));
        }

        if (certificate is not null)
        {
            Read($"{certificate} and {key}", () =>
            {
                var chain = new X509Certificate2Collection();
                chain.ImportFromPemFile(certificate);
                chain.RemoveAt(0);
                tls.ClientCertificateContext = SslStreamCertificateContext.Create(
                    X509Certificate2.CreateFromPemFile(certificate, key), chain, offline: true);
            });
        }

        return tls;
    }

    /// <summary>Whether the options or the environment name a client certificate.</summary>
    public static bool NamesCertificate(OrchestratorClientOptions options) =>
        Named(options.Certificate, OrchestratorClientOptions.CertificateVariable) is not null;

    /// <summary>Whether certificates were given, to be shown or to be trusted.</summary>
    public static bool IsWanted(OrchestratorClientOptions options) => NamesCertificate(options)
        || Named(options.CertificateAuthority, OrchestratorClientOptions.CertificateAuthorityVariable) is not null;

    private static string? Named(string? given, string variable) =>
        !string.IsNullOrEmpty(given) ? given : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    private static void Read(string files, Action read)
    {
        try
        {
            read();
        }
        catch (Exception exception)
            when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CoordinatorUnavailableException(
                $"{files} cannot be used: {exception.Message.TrimEnd('.')}. PEM files are needed, the key without a password.", exception);
        }
    }
}

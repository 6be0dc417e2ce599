using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// The server's certificates, current with the files on disk: each handshake checks whether the files have changed, so a renewal needs no
/// restart. If the new files are unusable, the previous certificates stay in use.
/// </summary>
internal sealed partial class TlsCertificates
{
    private readonly TlsOptions _options;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private Loaded _current;

    /// <exception cref="IOException">A file cannot be used; the message says which and why.</exception>
    public TlsCertificates(TlsOptions options, ILogger<TlsCertificates> logger)
    {
        _options = options;
        _logger = logger;
        _current = Load();
    }

    /// <summary>The file and the fingerprint of the server's certificate.</summary>
    public SelfSignedDescription Describe() => new(
        _options.Certificate,
        string.Join(':', Current().Server.TargetCertificate.GetCertHash(HashAlgorithmName.SHA256).Select(part => $"{part:X2}")));

    /// <summary>The server's side of a new handshake.</summary>
    /// <param name="requireClient">Whether a client certificate is required if an authority for them is configured; otherwise it is
    /// optional.</param>
    public SslServerAuthenticationOptions ForHandshake(bool requireClient)
    {
        var loaded = Current();
        var options = new SslServerAuthenticationOptions { ServerCertificateContext = loaded.Server };
        if (loaded.ClientRoots is not { } roots)
            return options;
        options.ClientCertificateRequired = true;
        options.CertificateChainPolicy =
            new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        options.RemoteCertificateValidationCallback = (_, _, _, errors) =>
            errors == SslPolicyErrors.None || (!requireClient && errors == SslPolicyErrors.RemoteCertificateNotAvailable);
        return options;
    }

    private Loaded Current()
    {
        lock (_gate)
        {
            var stamp = Stamp();
            if (stamp == _current.Stamp)
                return _current;
            try
            {
                _current = Load();
                LogReloaded(_options.Certificate);
            }
            catch (IOException exception)
            {
                // Logged once per change, not per handshake.
                _current = _current with { Stamp = stamp };
                LogNotReloaded(exception.Message);
            }

            return _current;
        }
    }

    private Loaded Load()
    {
        var stamp = Stamp();
        var chain = new X509Certificate2Collection();
        var certificate = Read("--tls-cert and --tls-key", $"{_options.Certificate} and {_options.Key}", () =>
        {
            chain.ImportFromPemFile(_options.Certificate);
            return X509Certificate2.CreateFromPemFile(_options.Certificate, _options.Key);
        });
        chain.RemoveAt(0);
        X509Certificate2Collection? roots = null;
        if (_options.ClientCa is { } path)
        {
            roots = Read("--client-ca", path, () =>
            {
                var found = new X509Certificate2Collection();
                found.ImportFromPemFile(path);
                return found.Count > 0 ? found : throw new CryptographicException("the file holds no certificate");
            });
        }

        // Offline: no handshake waits for a remote revocation server.
        return new Loaded(SslStreamCertificateContext.Create(certificate, chain, offline: true), roots, stamp);
    }

    private static T Read<T>(string flags, string files, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception)
            when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException(
                $"{flags} ({files}) cannot be used: {exception.Message.TrimEnd('.')}. PEM files are needed, the key without a password.",
                exception);
        }
    }

    private (DateTime, DateTime, DateTime) Stamp() => (
        File.GetLastWriteTimeUtc(_options.Certificate),
        File.GetLastWriteTimeUtc(_options.Key),
        _options.ClientCa is { } ca ? File.GetLastWriteTimeUtc(ca) : default);

    private sealed record Loaded(
        SslStreamCertificateContext Server, X509Certificate2Collection? ClientRoots, (DateTime, DateTime, DateTime) Stamp);

    [LoggerMessage(Level = LogLevel.Information, Message = "the certificate {File} has changed and is now in use")]
    private partial void LogReloaded(string file);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "the certificates have changed but cannot be used; the previous certificates stay in use: {Cause}")]
    private partial void LogNotReloaded(string cause);
}

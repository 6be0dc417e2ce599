using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// A certificate that the coordinator makes for itself, for traffic that must be encrypted where there is no authority: clients name the
/// certificate as their authority (<c>--ca</c>), or compare its fingerprint. It is kept in the data directory, so that a restart does not
/// change it, and is replaced when it is about to expire or lacks a name.
/// </summary>
internal static class SelfSignedCertificate
{
    private const string CertificateName = "tls-cert.pem";
    private const string KeyName = "tls-key.pem";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(730);
    private static readonly TimeSpan LeastLeft = TimeSpan.FromDays(60);

    /// <summary>The files of the certificate; makes them if there are none that can be used.</summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="names">Names of this machine that clients use, besides its host name and <c>localhost</c>.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="IOException">The files cannot be written.</exception>
    public static TlsOptions Ensure(string directory, IReadOnlyList<string> names, DateTimeOffset now)
    {
        var files = Files(directory);
        if (!IsUsable(files, names, now))
            Make(files, names, now);
        return files;
    }

    /// <summary>Whether these are the files of a self-signed certificate.</summary>
    public static bool IsOf(TlsOptions files, string directory) => files == Files(directory);

    private static TlsOptions Files(string directory) => new(Path.Combine(directory, CertificateName), Path.Combine(directory, KeyName));

    private static bool IsUsable(TlsOptions files, IReadOnlyList<string> names, DateTimeOffset now)
    {
        if (!File.Exists(files.Certificate) || !File.Exists(files.Key))
            return false;
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
            return certificate.NotAfter.ToUniversalTime() - now.UtcDateTime > LeastLeft
                && names.All(name => certificate.MatchesHostname(name, allowWildcards: false, allowCommonName: false));
        }
        catch (CryptographicException)
        {
            // Such as after a full disk: neither file holds anything that cannot be made again.
            return false;
        }
    }

    private static void Make(TlsOptions files, IReadOnlyList<string> names, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=orchestrator", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names.Append("localhost").Append(Dns.GetHostName()).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }

        alternatives.AddIpAddress(IPAddress.Loopback);
        alternatives.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(alternatives.Build());
        // An authority, so that clients can name it as theirs; it can sign nothing else.
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now + Lifetime);
        OwnerOnlyFile.Write(files.Key, key.ExportPkcs8PrivateKeyPem() + "\n");
        OwnerOnlyFile.Write(files.Certificate, certificate.ExportCertificatePem() + "\n");
    }
}

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.TestKit;

/// <summary>A certificate authority for a test, and the certificates that it signs, as PEM files in their own folder.</summary>
public sealed class TestCertificates : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2 _authority;

    /// <summary>Makes an authority.</summary>
    public TestCertificates(string name = "test authority")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = DateTimeOffset.UtcNow;
        _authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        File.WriteAllText(Authority, _authority.ExportCertificatePem());
    }

    /// <summary>The folder of all files.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("orchestrator-certificates-").FullName;

    /// <summary>The authority's certificate.</summary>
    public string Authority => Path.Combine(Directory, "ca.pem");

    /// <summary>Writes a certificate for a server on this machine, and its key.</summary>
    public (string Certificate, string Key) Server(string name = "server") => Issue(name, ServerUse);

    /// <summary>Writes a certificate for a client, and its key.</summary>
    public (string Certificate, string Key) Client(string name = "client") => Issue(name, ClientUse);

    /// <inheritdoc/>
    public void Dispose()
    {
        _authority.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private (string Certificate, string Key) Issue(string name, string use)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.Create(_authority, now.AddDays(-1), now.AddDays(7), RandomNumberGenerator.GetBytes(16));
        var (certificateFile, keyFile) = (Path.Combine(Directory, $"{name}.pem"), Path.Combine(Directory, $"{name}.key"));
        // Replaced as whole files, as a renewal does: the key first, since the pair is read when either has changed.
        Replace(keyFile, key.ExportPkcs8PrivateKeyPem());
        Replace(certificateFile, certificate.ExportCertificatePem());
        return (certificateFile, keyFile);
    }

    private static void Replace(string path, string content)
    {
        File.WriteAllText(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }
}

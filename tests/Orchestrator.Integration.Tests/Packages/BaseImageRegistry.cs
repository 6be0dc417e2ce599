using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Orchestrator.Integration.Tests.Packages;

/// <summary>
/// A container registry on loopback that serves one image: an empty layer, and the settings of the framework's own image. Where no registry
/// of images can be reached, it stands in for the base of the command's image.
/// </summary>
internal sealed class BaseImageRegistry : IDisposable
{
    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";

    private readonly HttpListener _listener = new();
    private readonly Dictionary<string, byte[]> _blobs = [];
    private readonly byte[] _manifest;
    private readonly Task _serving;

    public BaseImageRegistry()
    {
        var layer = EmptyLayer();
        using var unpacked = new GZipStream(new MemoryStream(layer), CompressionMode.Decompress);
        var config = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["architecture"] = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
                is System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject
            {
                ["Env"] = new JsonArray("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "APP_UID=1654"),
                ["WorkingDir"] = "/",
            },
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray("sha256:" + Convert.ToHexStringLower(SHA256.HashData(unpacked))),
            },
            ["history"] = new JsonArray(),
        }.ToJsonString());
        _manifest = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = Describe(config, "application/vnd.docker.container.image.v1+json"),
            ["layers"] = new JsonArray(Describe(layer, "application/vnd.docker.image.rootfs.diff.tar.gzip")),
        }.ToJsonString());
        var port = FreePort();
        Image = $"localhost:{port}/base:1";
        _listener.Prefixes.Add($"http://localhost:{port}/");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    /// <summary>The image's name.</summary>
    public string Image { get; }

    public void Dispose()
    {
        _listener.Stop();
        _serving.Wait(TimeSpan.FromSeconds(10));
        _listener.Close();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext call;
            try
            {
                call = await _listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            var path = call.Request.Url!.AbsolutePath;
            var (content, type) = path switch
            {
                "/v2/" => ("{}"u8.ToArray(), "application/json"),
                _ when path.Contains("/manifests/", StringComparison.Ordinal) => (_manifest, ManifestType),
                _ => (_blobs.GetValueOrDefault(path[(path.LastIndexOf('/') + 1)..]), "application/octet-stream"),
            };
            call.Response.StatusCode = content is null ? 404 : 200;
            if (content is not null)
            {
                call.Response.ContentType = type;
                call.Response.ContentLength64 = content.Length;
                call.Response.Headers["Docker-Content-Digest"] = DigestOf(content);
                if (call.Request.HttpMethod == "GET")
                    await call.Response.OutputStream.WriteAsync(content);
            }

            call.Response.Close();
        }
    }

    private JsonObject Describe(byte[] blob, string type)
    {
        _blobs[DigestOf(blob)] = blob;
        return new JsonObject { ["mediaType"] = type, ["size"] = blob.Length, ["digest"] = DigestOf(blob) };
    }

    private static string DigestOf(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    private static byte[] EmptyLayer()
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Pax))
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "tmp/"));
        return bytes.ToArray();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Dashboard;

/// <summary>The page and its scripts, embedded in this assembly, each compressed once.</summary>
internal sealed class PageFiles
{
    private const string Folder = "page/";

    // Scripts and styles of its own only, no inline code, no frame around it, and no other origin is told anything.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
        "form-action 'self'; frame-ancestors 'none'";

    private readonly Dictionary<string, PageFile> _files;

    public PageFiles()
    {
        var assembly = typeof(PageFiles).Assembly;
        _files = assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).ToDictionary(
            name => name[Folder.Length..], name => new PageFile(assembly, name), StringComparer.Ordinal);
    }

    /// <summary>The paths of the files, for a test that looks at each.</summary>
    public IEnumerable<string> Paths => _files.Keys;

    /// <summary>Sends the page itself, which holds no data: its scripts ask for them.</summary>
    public Task SendShellAsync(HttpContext context) => SendAsync(context, "index.html");

    /// <summary>Sends the file that the route names.</summary>
    public Task SendAsync(HttpContext context) => SendAsync(context, context.Request.RouteValues["path"] as string ?? "");

    private Task SendAsync(HttpContext context, string path)
    {
        var response = context.Response;
        if (!_files.TryGetValue(path, out var file))
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.ETag = file.Tag;
        // Asked again each time: another version of the coordinator may be there.
        response.Headers.CacheControl = "no-cache";
        response.Headers.Vary = "Accept-Encoding";
        if (context.Request.Headers.IfNoneMatch.Contains(file.Tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = file.ContentType;
        var compressed = context.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal);
        if (compressed)
            response.Headers.ContentEncoding = "br";
        var content = compressed ? file.Compressed : file.Content;
        response.ContentLength = content.Length;
        return response.Body.WriteAsync(content, 0, content.Length, context.RequestAborted);
    }

    private sealed class PageFile
    {
        private readonly Lazy<byte[]> _compressed;

        public PageFile(Assembly assembly, string name)
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            Content = new byte[stream.Length];
            stream.ReadExactly(Content);
            Tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(Content))[..16]}\"";
            ContentType = Path.GetExtension(name) switch
            {
                ".html" => "text/html; charset=utf-8",
                ".css" => "text/css; charset=utf-8",
                _ => "text/javascript; charset=utf-8",
            };
            _compressed = new Lazy<byte[]>(() => Compress(Content));
        }

        public byte[] Content { get; }

        public byte[] Compressed => _compressed.Value;

        public string Tag { get; }

        public string ContentType { get; }

        private static byte[] Compress(byte[] content)
        {
            using var target = new MemoryStream();
            using (var brotli = new BrotliStream(target, CompressionLevel.Optimal))
                brotli.Write(content);
            return target.ToArray();
        }
    }
}

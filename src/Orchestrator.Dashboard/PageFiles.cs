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
    public Task SendShellAsync(HttpContext context)
    {
        // Its addresses are relative to its folder.
        if (!context.Request.Path.Value!.Contains("/login", StringComparison.Ordinal) && !context.Request.Path.Value.EndsWith('/'))
        {
            context.Response.Redirect($"{context.Request.PathBase}{context.Request.Path}/{context.Request.QueryString}");
            return Task.CompletedTask;
        }

        return SendAsync(context, "index.html");
    }

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
        // Without TLS browsers ask for gzip only.
        var accepted = context.Request.Headers.AcceptEncoding.ToString();
        var (content, encoding) = accepted.Contains("br", StringComparison.Ordinal) ? (file.Brotli, "br")
            : accepted.Contains("gzip", StringComparison.Ordinal) ? (file.Gzip, "gzip") : (file.Content, null);
        if (encoding is not null)
            response.Headers.ContentEncoding = encoding;
        response.ContentLength = content.Length;
        return response.Body.WriteAsync(content, 0, content.Length, context.RequestAborted);
    }

    private sealed class PageFile
    {
        private readonly Lazy<byte[]> _brotli;
        private readonly Lazy<byte[]> _gzip;

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
            _brotli = new Lazy<byte[]>(() => Compress(target => new BrotliStream(target, CompressionLevel.Optimal)));
            _gzip = new Lazy<byte[]>(() => Compress(target => new GZipStream(target, CompressionLevel.Optimal)));
        }

        public byte[] Content { get; }

        public byte[] Brotli => _brotli.Value;

        public byte[] Gzip => _gzip.Value;

        public string Tag { get; }

        public string ContentType { get; }

        private byte[] Compress(Func<Stream, Stream> compressor)
        {
            using var target = new MemoryStream();
            using (var stream = compressor(target))
                stream.Write(Content);
            return target.ToArray();
        }
    }
}

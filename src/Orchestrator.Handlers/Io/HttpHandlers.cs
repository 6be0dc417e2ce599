using System.Net;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Io;

/// <summary>Fetches allowed URLs.</summary>
internal static class HttpHandlers
{
    private const int MaxRedirects = 5;
    private const int BufferSize = 64 * 1024;

    public static void Register(ITaskMap map, StockHandlerOptions options)
    {
        var urls = new AllowedUrls(options.AllowedUrlPrefixes);
        map.MapTask(
            "http_get", (UrlInput input, TaskContext context) => GetAsync(
                urls, input.Url, context.GetLocal(CreateClient), context),
            new()
            {
                Json = StockJson.Default.Options,
                Description = "Fetches an allowed URL; answers with the body's bytes.",
                Example = """{"url": "http://127.0.0.1:8080/"}""",
            });
    }

    private static HttpClient CreateClient() => new(new SocketsHttpHandler
    {
        // Redirects are followed below, so that each address is checked first.
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        // The task's own timeouts apply.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private static async Task<byte[]> GetAsync(AllowedUrls urls, string address, HttpClient client, TaskContext context)
    {
        var cancellationToken = context.CancellationToken;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            throw new InvalidInputException("url", $"must be an http or https URL, got '{address}'");
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            urls.Check("url", url);
            using var response = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                    or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
                && response.Headers.Location is { } location)
            {
                url = new Uri(url, location);
                continue;
            }

            response.EnsureSuccessStatusCode();
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return await ReadAsync(body, context.MaxPayloadBytes, cancellationToken);
        }

        throw new InvalidInputException("url", $"redirects more than {MaxRedirects} times");
    }

    private static async Task<byte[]> ReadAsync(Stream body, int most, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        var buffer = new byte[BufferSize];
        int count;
        while ((count = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            content.Write(buffer, 0, count);
            if (content.Length > most)
                throw new PayloadTooLargeException("the body, so far,", content.Length, most);
        }

        return content.ToArray();
    }
}

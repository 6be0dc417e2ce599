using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Dashboard;

/// <summary>What a browser does with the page: a cookie, the page's header, and a socket.</summary>
internal sealed class PageClient : IDisposable
{
    private readonly CookieContainer _cookies = new();
    private readonly HttpClient _http;
    private readonly Uri _address;

    public PageClient(string address)
    {
        _address = new Uri(address + "/");
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, CookieContainer = _cookies, AllowAutoRedirect = false })
        {
            BaseAddress = _address,
        };
    }

    /// <summary>A client that has logged in with the owner's token.</summary>
    public static async Task<PageClient> LogInAsync(CoordinatorProcess coordinator, string? token = null)
    {
        var client = new PageClient(coordinator.HttpAddress);
        var status = HttpStatusCode.TooManyRequests;
        // At most five a second, of all tests of a class.
        await UntilAsync(async () =>
        {
            using var response = await client.PostLoginAsync(token: token ?? coordinator.Token);
            status = response.StatusCode;
            return status != HttpStatusCode.TooManyRequests;
        });
        Assert.Equal(HttpStatusCode.NoContent, status);
        return client;
    }

    /// <summary>The session's cookie.</summary>
    public Cookie Cookie => _cookies.GetCookies(_address).Single();

    public Task<HttpResponseMessage> PostLoginAsync(string? code = null, string? token = null) => SendAsync(
        HttpMethod.Post, "login", JsonSerializer.Serialize(new { code, token }), page: false);

    /// <summary>Sends a request as the page does.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path.</param>
    /// <param name="json">The content; null for none.</param>
    /// <param name="page">Whether it has the page's header.</param>
    /// <param name="change">Changes the request.</param>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? json = null, bool page = true, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        if (page)
            request.Headers.Add("x-orchestrator", "page");
        change?.Invoke(request);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await _http.SendAsync(request, limit.Token);
    }

    /// <summary>Calls a method of the contract and returns its answer.</summary>
    public async Task<JsonElement> CallAsync(string method, string json = "{}")
    {
        using var response = await SendAsync(HttpMethod.Post, $"api/orchestrator.v1.{method}", json);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{response.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Opens the feed.</summary>
    public async Task<ClientWebSocket> OpenFeedAsync(bool spans, int intervalMs = 100, string? origin = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.Cookies = _cookies;
        socket.Options.SetRequestHeader("Origin", origin ?? _address.GetLeftPart(UriPartial.Authority));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await socket.ConnectAsync(new UriBuilder(_address) { Scheme = "ws", Path = "/feed" }.Uri, limit.Token);
        await SendAsync(socket, $$"""{"spans":{{(spans ? "true" : "false")}},"intervalMs":{{intervalMs}}}""");
        return socket;
    }

    public static async Task SendAsync(ClientWebSocket socket, string text) =>
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);

    /// <summary>The next message of the feed: JSON, a block of spans, or why it was closed.</summary>
    public static async Task<FeedMessage> ReadAsync(ClientWebSocket socket)
    {
        using var content = new MemoryStream();
        var buffer = new byte[64 * 1024];
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, limit.Token);
            if (part.MessageType == WebSocketMessageType.Close)
                return new FeedMessage(null, null, socket.CloseStatus);
            content.Write(buffer, 0, part.Count);
            if (!part.EndOfMessage)
                continue;
            return part.MessageType == WebSocketMessageType.Binary
                ? new FeedMessage(null, SpanBlock.Parser.ParseFrom(content.ToArray()), null)
                : new FeedMessage(JsonDocument.Parse(content.ToArray()).RootElement, null, null);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>One message of the feed.</summary>
    internal sealed record FeedMessage(JsonElement? Json, SpanBlock? Spans, WebSocketCloseStatus? Closed);
}

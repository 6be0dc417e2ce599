using Microsoft.Playwright;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Browser.Tests;

/// <summary>A tab of the browser with the page.</summary>
public sealed class Tab : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly string _address;
    private readonly List<string> _complaints = [];

    internal Tab(IBrowserContext context, IPage page, string address)
    {
        (_context, Page, _address) = (context, page, address);
        page.Console += (_, message) =>
        {
            // A call that is refused is reported there, too; the page shows it in words.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                _complaints.Add(message.Text);
        };
        page.PageError += (_, error) => _complaints.Add(error);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(address, StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
                _complaints.Add($"a request left the origin: {request.Url}");
        };
        page.WebSocket += (_, socket) => socket.FrameReceived += (_, frame) => FeedBytes += frame.Binary?.Length ?? frame.Text?.Length ?? 0;
        page.Response += async (_, response) =>
        {
            try
            {
                var sizes = await response.Request.SizesAsync();
                Received += sizes.ResponseBodySize + sizes.ResponseHeadersSize;
            }
            catch (PlaywrightException)
            {
                // The tab was closed meanwhile.
            }
        };
    }

    public IPage Page { get; }

    /// <summary>Bytes of the messages of web sockets.</summary>
    public long FeedBytes { get; private set; }

    /// <summary>Bytes of all responses.</summary>
    public long Received { get; private set; }

    /// <summary>Errors and warnings of the console, and requests to other origins.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    /// <summary>The element that a test finds by its mark.</summary>
    public ILocator Find(string mark) => Page.Locator($"[data-test='{mark}']");

    /// <summary>The number that an attribute of an element holds.</summary>
    public async Task<long> NumberAsync(string mark, string attribute) =>
        long.Parse((await Find(mark).GetAttributeAsync(attribute))!, System.Globalization.CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    /// <summary>The cookies of its login.</summary>
    public async Task<IReadOnlyList<Cookie>> CookiesAsync() => [.. (await _context.CookiesAsync()).Select(cookie => new Cookie
    {
        Name = cookie.Name,
        Value = cookie.Value,
        Domain = cookie.Domain,
        Path = cookie.Path,
        HttpOnly = cookie.HttpOnly,
        SameSite = cookie.SameSite,
    })];

    internal async Task LogInAsync(CoordinatorProcess coordinator, string? token)
    {
        if (token is null)
        {
            var login = await coordinator.Admin.CreateLoginCodeAsync(new CreateLoginCodeRequest(), CoordinatorProcess.Deadline());
            await Page.GotoAsync($"{login.Page}login#{login.Code}");
        }
        else
        {
            await Page.GotoAsync($"{_address}/");
            await Find("login").Locator("input:visible").First.FillAsync(token);
            await Find("login").Locator("button[type=submit], button").First.ClickAsync();
        }

        await Find("tile-ended").WaitForAsync();
    }
}

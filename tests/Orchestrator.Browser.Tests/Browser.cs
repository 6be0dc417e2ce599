using Microsoft.Playwright;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Browser.Tests;

/// <summary>Debian's Chromium, and a coordinator with work.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The coordinator that the page is of.</summary>
    public CoordinatorProcess Coordinator { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--hot-spares", "1");
        if (Array.Find(Programs, File.Exists) is not { } program)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = program,
            // Containers have a small /dev/shm, and no second sandbox.
            Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        await Coordinator.DisposeAsync();
    }

    /// <summary>Kills the worker of a task that runs and that the tab draws; returns the worker's name.</summary>
    public async Task<string> KillBusyWorkerAsync(Tab tab)
    {
        ArgumentNullException.ThrowIfNull(tab);
        var id = (await Coordinator.SubmitAsync(Specs.Json("spin", """{"ms": 60000}"""))).Single();
        await Coordinator.WaitUntilReportedAsync(id);
        await tab.Page.WaitForFunctionAsync("() => window.orchestratorPage.openBars() > 0");
        var victim = (await Coordinator.WorkersAsync()).Single(worker => worker.Current?.TaskId == id).Name;
        await Coordinator.Admin.InjectFaultAsync(
            new InjectFaultRequest { Kind = FaultKind.Kill, Worker = victim }, CoordinatorProcess.Deadline());
        return victim;
    }

    /// <summary>A tab with nothing in its cache, which has these cookies.</summary>
    public async Task<Tab> NewTabAsync(IReadOnlyList<Cookie> cookies)
    {
        var context = await _browser!.NewContextAsync();
        await context.AddCookiesAsync(cookies);
        return new Tab(context, await context.NewPageAsync(), Coordinator.HttpAddress);
    }

    /// <summary>A tab without scripts that shows a file.</summary>
    public async Task<Tab> OpenFileAsync(string path)
    {
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions { JavaScriptEnabled = false, Offline = true });
        var address = new Uri(path).AbsoluteUri;
        var tab = new Tab(context, await context.NewPageAsync(), address);
        await tab.Page.GotoAsync(address);
        return tab;
    }

    /// <summary>A browser's tab that is logged in by the one-time code; what its console and the network say is kept.</summary>
    public async Task<Tab> OpenAsync(
        string query = "", int width = 1440, int height = 900, bool dark = true, string? token = null, CoordinatorProcess? of = null)
    {
        var coordinator = of ?? Coordinator;
        Assert.SkipWhen(_browser is null, $"no Chromium is installed: {string.Join(", ", Programs)}");
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.NoPreference,
        });
        var tab = new Tab(context, await context.NewPageAsync(), coordinator.HttpAddress);
        await tab.LogInAsync(coordinator, token);
        if (query.Length > 0)
            await tab.Page.GotoAsync($"{coordinator.HttpAddress}/?{query}");
        return tab;
    }
}

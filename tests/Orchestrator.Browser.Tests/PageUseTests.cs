using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Playwright;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Browser.Tests;

/// <summary>The page for people: the past, the keyboard, colours that can be read, and a coordinator that comes back.</summary>
public sealed class PageUseTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly string[] Pages =
        ["overview", "stream", "tasks", "queues", "waits", "flow", "compare", "faults", "events", "report"];

    private readonly CoordinatorProcess _coordinator = browser.Coordinator;

    /// <summary>15: after a restart the page connects again by its login, says that it is another instance, and shows that one.</summary>
    [Fact]
    public async Task After_a_restart_the_page_goes_on_and_says_so()
    {
        await using var first = await CoordinatorProcess.StartAsync();
        await using var tab = await browser.OpenAsync(of: first);
        // It knows which instance it shows.
        await Assertions.Expect(tab.Find("worker")).ToHaveCountAsync(2);
        await first.KillAndWaitAsync();
        await Assertions.Expect(tab.Find("message")).ToContainTextAsync("does not answer. Reconnecting");
        await using var second = await first.StartAgainAsync();
        await Assertions.Expect(tab.Find("message")).ToContainTextAsync("this is another instance");
        await second.StreamAsync(Enumerable.Range(0, 30).Select(i => Specs.Json("echo", "1", tag: (ulong)i)));
        await Assertions.Expect(tab.Find("ledger")).ToHaveAttributeAsync("data-accepted", "30");
        // What the browser's own console says of the connections that could not be made is no fault of the page.
        Assert.DoesNotContain(tab.Complaints, text => !text.Contains("WebSocket connection to", StringComparison.Ordinal));
    }

    /// <summary>The report is one file that can be read without a network and without scripts.</summary>
    [Fact]
    public async Task The_report_is_a_file_that_needs_nothing_else()
    {
        await using var tab = await browser.OpenAsync();
        await _coordinator.StreamAsync(Enumerable.Range(0, 20).Select(i => Specs.Json("sum_of_squares", """{"n": 4}""", tag: (ulong)i)));
        await Assertions.Expect(tab.Page.Locator("[data-test='handler'][data-name='sum_of_squares']")).ToBeVisibleAsync();
        await tab.Page.GotoAsync($"{_coordinator.HttpAddress}/?page=report&minutes=1");
        var download = await tab.Page.RunAndWaitForDownloadAsync(() => tab.Find("report-make").ClickAsync());
        Assert.Matches("^orchestrator-[0-9T-]+\\.html$", download.SuggestedFilename);
        using var folder = new TemporaryDirectory();
        var path = Path.Combine(folder.Path, download.SuggestedFilename);
        await download.SaveAsAsync(path);
        var text = await File.ReadAllTextAsync(path);
        Assert.DoesNotMatch("<script|<link|src=|@import|url\\(", text);
        await using var reader = await browser.OpenFileAsync(path);
        await Assertions.Expect(reader.Page.Locator("h1")).ToHaveTextAsync("Orchestrator, 1 min");
        await Assertions.Expect(reader.Page.Locator("body")).ToContainTextAsync("sum_of_squares");
        var instance = (await _coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status.Instance;
        await Assertions.Expect(reader.Page.Locator("body")).ToContainTextAsync($"instance {instance}");
        Assert.True(await reader.Page.Locator("svg").CountAsync() > 0);
        Assert.Empty(reader.Complaints);
        Assert.Empty(tab.Complaints);
    }

    /// <summary>8: the moment of a kill shows the tiles, workers, lanes and events of then, and Esc returns.</summary>
    [Fact]
    public async Task Looking_back_to_a_kill_shows_that_moment()
    {
        await using var tab = await browser.OpenAsync("page=stream");
        await tab.Find("lanes").WaitForAsync();
        var victim = await browser.KillBusyWorkerAsync(tab);
        var lost = await _coordinator.WaitForEventAsync(
            "worker.lost", item => item.Subject.StartsWith(victim + "#", StringComparison.Ordinal));
        var after = lost.At.ToDateTimeOffset().AddSeconds(1);
        var at = after.ToUnixTimeMilliseconds();
        // Looked at once it has been sampled.
        var second = new GetHistoryRequest
        {
            From = Timestamp.FromDateTimeOffset(after),
            To = Timestamp.FromDateTimeOffset(after.AddSeconds(2)),
            Series = { "tasks.queued" },
        };
        await UntilAsync(async () => (await _coordinator.Admin.GetHistoryAsync(second, CoordinatorProcess.Deadline()))
            .Series.Any(series => series.Values.Any(value => !float.IsNaN(value))));

        await tab.Page.GotoAsync($"{_coordinator.HttpAddress}/?page=stream&at={at}");
        await tab.Page.WaitForFunctionAsync("() => window.orchestratorPage.hatched() > 0");
        await Assertions.Expect(tab.Find("strip")).ToHaveAttributeAsync("aria-valuetext", new Regex("seconds ago"));
        await tab.Page.GotoAsync($"{_coordinator.HttpAddress}/?page=overview&at={at}");
        await Assertions.Expect(tab.Find("live")).ToContainTextAsync("looking back");
        await Assertions.Expect(tab.Find("worker")).ToHaveCountAsync(2);
        await Assertions.Expect(tab.Find("tile-ended")).Not.ToContainTextAsync("–");
        await tab.Page.GotoAsync($"{_coordinator.HttpAddress}/?page=events&at={at}");
        await tab.Page.Locator("[data-test='event'][data-kind='worker.lost']").First.WaitForAsync();

        await tab.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(tab.Find("live")).ToHaveTextAsync("Live");
        await Assertions.Expect(tab.Find("strip")).ToHaveAttributeAsync("aria-valuetext", "now");
        // And by the keys of the strip itself.
        await tab.Find("strip").FocusAsync();
        for (var i = 0; i < 5; i++)
            await tab.Page.Keyboard.PressAsync("ArrowLeft");
        await Assertions.Expect(tab.Find("live")).ToContainTextAsync("looking back");
        await tab.Find("live").ClickAsync();
        await Assertions.Expect(tab.Find("live")).ToHaveTextAsync("Live");
        Assert.Empty(tab.Complaints);
    }

    /// <summary>14: the Tab key reaches everything that can be pressed, each has a name, and keys lead to the pages.</summary>
    [Fact(Explicit = true)]
    public async Task The_keyboard_reaches_everything()
    {
        await using var tab = await browser.OpenAsync();
        await _coordinator.StreamAsync(Enumerable.Range(0, 20).Select(i => Specs.Json("echo", "1", tag: (ulong)i)));
        foreach (var page in Pages)
        {
            await tab.Page.GotoAsync($"{_coordinator.HttpAddress}/?page={page}");
            await tab.Page.WaitForFunctionAsync("() => document.querySelector('main')?.innerText.length > 20");
            // What changes by itself would move the focus: the page is stopped.
            await tab.Page.Keyboard.PressAsync("Space");
            await Assertions.Expect(tab.Find("live")).ToContainTextAsync("Paused");
            var unnamed = await tab.Page.EvaluateAsync<string[]>(Scripts.Unnamed);
            Assert.True(unnamed.Length == 0, $"{page}: without a name: {string.Join(", ", unnamed)}");
            var expected = await tab.Page.EvaluateAsync<int>(Scripts.MarkFocusable);
            Assert.True(expected > 10, page);
            await tab.Page.EvaluateAsync("() => document.activeElement?.blur()");
            for (var i = 0; i < expected + 5; i++)
            {
                await tab.Page.Keyboard.PressAsync("Tab");
                await tab.Page.EvaluateAsync("() => document.activeElement?.setAttribute('data-reached', '')");
            }

            var missed = await tab.Page.EvaluateAsync<string[]>(Scripts.NotReached);
            Assert.True(missed.Length == 0, $"{page}: not reached: {string.Join(", ", missed)}");
        }

        await tab.Page.GotoAsync($"{_coordinator.HttpAddress}/");
        await tab.Find("tile-ended").WaitForAsync();
        (string Key, string Title)[] keys = [("s", "Task stream"), ("t", "Tasks"), ("q", "Queues"), ("w", "State"), ("o", "Overview")];
        foreach (var (key, title) in keys)
        {
            await tab.Page.Keyboard.PressAsync("g");
            await tab.Page.Keyboard.PressAsync(key);
            await Assertions.Expect(tab.Page.Locator("h1")).ToContainTextAsync(title);
        }

        await tab.Page.Keyboard.PressAsync("/");
        Assert.Equal("INPUT", await tab.Page.EvaluateAsync<string>("() => document.activeElement.tagName"));
        Assert.Empty(tab.Complaints);
    }

    /// <summary>14: text has a contrast of at least 4.5:1 to what is behind it (WCAG 2.2, 1.4.3), in both themes.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false, Explicit = true)]
    public async Task Text_can_be_read(bool dark)
    {
        await using var tab = await browser.OpenAsync(dark: dark);
        await _coordinator.StreamAsync(Enumerable.Range(0, 20).Select(
            i => Specs.Json(i % 2 == 0 ? "echo" : "fibonacci", "-1", tag: (ulong)i)));
        foreach (var page in Pages)
        {
            await tab.Page.GotoAsync($"{_coordinator.HttpAddress}/?page={page}");
            await tab.Page.WaitForFunctionAsync("() => document.querySelector('main')?.innerText.length > 20");
            if (page is "tasks" or "events")
                await tab.Find(page[..^1]).First.WaitForAsync();
            var faint = await tab.Page.EvaluateAsync<string[]>(Scripts.Faint);
            Assert.True(faint.Length == 0, $"{page}, {(dark ? "dark" : "light")}: {string.Join("; ", faint)}");
        }
    }
}

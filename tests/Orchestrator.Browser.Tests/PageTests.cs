using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Browser.Tests;

/// <summary>The page in a real browser, on a coordinator with work: part 9's acceptance list, as far as it asserts no durations.</summary>
public sealed class PageTests(Browser browser) : IClassFixture<Browser>
{
    private readonly CoordinatorProcess _coordinator = browser.Coordinator;

    /// <summary>1: real figures, nothing from elsewhere, a clean console, and little to load.</summary>
    [Fact]
    public async Task The_overview_shows_real_figures_and_complains_of_nothing()
    {
        await using var tab = await browser.OpenAsync();
        await _coordinator.StreamAsync(Enumerable.Range(0, 200).Select(i => Specs.Json("sum_of_squares", """{"n": 4}""", tag: (ulong)i)));
        await Assertions.Expect(tab.Find("handler").And(tab.Page.Locator("[data-name='sum_of_squares']"))).ToBeVisibleAsync();
        await Assertions.Expect(tab.Find("worker")).ToHaveCountAsync(2);
        Assert.Empty(tab.Complaints);
        Assert.InRange(tab.Received, 10_000, 200_000);
    }

    /// <summary>5: what the page says is what the coordinator says.</summary>
    [Fact]
    public async Task The_ledger_of_the_page_is_that_of_the_coordinator()
    {
        await using var tab = await browser.OpenAsync();
        await _coordinator.StreamAsync(
            Enumerable.Range(0, 50).Select(i => Specs.Json(i % 2 == 0 ? "echo" : "fibonacci", "-1", tag: (ulong)i)));
        var status = (await _coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status;
        await UntilAsync(async () => await tab.NumberAsync("ledger", "data-accepted") == status.Tasks.Accepted);
        Assert.Equal(status.Tasks.Accepted, await tab.NumberAsync("ledger", "data-sum"));
        (string State, long Count)[] states =
            [("succeeded", status.Tasks.Succeeded), ("failed", status.Tasks.Failed), ("worker_lost", status.Tasks.WorkerLost)];
        foreach (var (state, count) in states)
        {
            var text = await tab.Find("ledger").Locator($"[data-state='{state}']").InnerTextAsync();
            Assert.Equal(count, long.Parse(Regex.Replace(text, "[^0-9]", ""), System.Globalization.CultureInfo.InvariantCulture));
        }

        Assert.True(status.Tasks.Failed >= 25);
    }

    /// <summary>6: what runs is shown while it runs, and a killed worker's attempt is marked as lost.</summary>
    [Fact]
    public async Task A_running_task_is_drawn_and_a_lost_one_hatched()
    {
        await using var tab = await browser.OpenAsync("page=stream");
        await tab.Find("lanes").WaitForAsync();
        await browser.KillBusyWorkerAsync(tab);
        await tab.Page.WaitForFunctionAsync("() => window.orchestratorPage.hatched() > 0");
        // The spare's lane goes on.
        Assert.Equal(TaskState.Succeeded, (await _coordinator.RunAsync(Specs.Json("echo", "1"))).State);
        Assert.Empty(tab.Complaints);
    }

    /// <summary>7: a refused deadlock is shown with its locks, and among the events.</summary>
    [Fact]
    public async Task A_deadlock_is_shown_with_its_locks_and_sessions()
    {
        await using var tab = await browser.OpenAsync("page=waits");
        var sessions = new[] { await SessionAsync("left-hand"), await SessionAsync("right-hand") };
        await AcquireAsync(sessions[0], "x-lock");
        await AcquireAsync(sessions[1], "y-lock");
        var waits = AcquireAsync(sessions[0], "y-lock");
        await UntilAsync(async () =>
            (await _coordinator.Admin.ExplainWaitsAsync(new ExplainWaitsRequest(), CoordinatorProcess.Deadline()))
                .Edges.Any(edge => edge.Object.Contains("y-lock", StringComparison.Ordinal)));
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => AcquireAsync(sessions[1], "x-lock"));
        var entry = tab.Find("deadlock").Filter(new LocatorFilterOptions { HasText = "x-lock" });
        await entry.First.WaitForAsync();
        var text = await entry.First.InnerTextAsync();
        Assert.All(
            (string[])["x-lock", "y-lock", "left-hand", "right-hand"], word => Assert.Contains(word, text, StringComparison.Ordinal));
        await tab.Page.GotoAsync($"{_coordinator.HttpAddress}/?page=events");
        await tab.Page.Locator("[data-test='event'][data-kind='deadlock.refused']").First.WaitForAsync();
        foreach (var session in sessions)
            await _coordinator.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = session }, CoordinatorProcess.Deadline());
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => waits);
        Assert.Empty(tab.Complaints);

        async Task<string> SessionAsync(string name) => (await _coordinator.Sessions.CreateSessionAsync(
            new CreateSessionRequest { DisplayName = name, Ttl = Specs.Seconds(60) }, CoordinatorProcess.Deadline())).SessionId;

        async Task AcquireAsync(string session, string name) => await _coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = name, SessionId = session, Timeout = Specs.Seconds(30) }, CoordinatorProcess.Deadline(60));
    }

    /// <summary>10: a comparison says why it is refused and what helps, and shows what it measured.</summary>
    [Fact]
    public async Task A_comparison_that_other_tasks_would_falsify_runs_once_that_is_accepted()
    {
        await using var tab = await browser.OpenAsync("page=compare");
        await tab.Page.GetByLabel("Handler").SelectOptionAsync("count_primes");
        await tab.Page.Locator("#compare-inputs").FillAsync("""{"limit": 1000}""");
        await tab.Page.GetByLabel("Tasks per run").FillAsync("10");
        var other = await _coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 600000}"""));
        await tab.Find("compare-run").ClickAsync();
        var message = tab.Page.Locator("main [role=status]");
        await Assertions.Expect(message).ToContainTextAsync("unfinished");
        await Assertions.Expect(message).ToContainTextAsync("tick \"although other tasks run\"");
        await tab.Page.GetByLabel("although other tasks run").CheckAsync();
        await tab.Find("compare-run").ClickAsync();
        await Assertions.Expect(message).ToHaveTextAsync("Done.");
        foreach (var placement in (string[])["sequential", "threads", "async", "worker"])
            await Assertions.Expect(tab.Page.Locator("main table").First).ToContainTextAsync(placement);
        await _coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { other } }, CoordinatorProcess.Deadline());
        Assert.Empty(tab.Complaints);
    }

    /// <summary>9: who may only observe sees nothing to press that would be refused.</summary>
    [Fact]
    public async Task An_observer_sees_no_buttons_that_change_something()
    {
        var token = new TokenFiles(_coordinator.DataDirectory, TimeProvider.System).Create(Role.Observe, TimeSpan.FromHours(1)).Token;
        await using var observer = await browser.OpenAsync(token: token);
        await using var operatorTab = await browser.OpenAsync();
        await operatorTab.Find("worker").First.WaitForAsync();
        await observer.Find("worker").First.WaitForAsync();
        Assert.True(await operatorTab.Page.GetByText("Recycle").CountAsync() > 0);
        Assert.Equal(0, await observer.Page.GetByText("Recycle").CountAsync());
        await Assertions.Expect(observer.Find("nav-faults")).ToBeHiddenAsync();
        await Assertions.Expect(operatorTab.Find("nav-faults")).ToBeVisibleAsync();
    }

    /// <summary>14: every page, wide and narrow, dark and light; kept to be looked at.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false, Explicit = true)]
    public async Task Every_page_is_as_wide_as_the_screen(bool dark)
    {
        var folder = Directory.CreateDirectory(Repository.PathOf("artifacts", "screenshots")).FullName;
        await using var tab = await browser.OpenAsync(dark: dark);
        using var end = new CancellationTokenSource();
        var work = WorkAsync(end.Token);
        foreach (var page in (string[])["overview", "stream", "tasks", "queues", "waits", "flow", "compare", "faults", "events", "report"])
        {
            await tab.Page.GotoAsync($"{_coordinator.HttpAddress}/?page={page}");
            await tab.Find("strip").WaitForAsync();
            await tab.Page.WaitForFunctionAsync("() => document.querySelector('main')?.innerText.length > 20");
            if (page == "overview")
                await tab.Find("worker").Nth(1).WaitForAsync();
            if (page == "stream")
                await tab.Page.WaitForFunctionAsync("() => window.orchestratorPage.spans > 100");
            if (page is "tasks" or "events")
                await tab.Find(page[..^1]).First.WaitForAsync();
            foreach (var (width, height) in ((int, int)[])[(390, 844), (1440, 900)])
            {
                await tab.Page.SetViewportSizeAsync(width, height);
                var overflow = await tab.Page.EvaluateAsync<int>(
                    "() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
                Assert.True(overflow <= 0, $"{page} is {overflow} pixels wider than a screen of {width}");
                await tab.Page.ScreenshotAsync(new PageScreenshotOptions
                {
                    Path = Path.Combine(folder, $"{page}-{width}-{(dark ? "dark" : "light")}.png"),
                });
            }
        }

        await end.CancelAsync();
        await work;
        Assert.Empty(tab.Complaints);
    }

    /// <summary>Tasks of several handlers, so that there is something to see.</summary>
    private async Task WorkAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await _coordinator.StreamAsync(Enumerable.Range(0, 60).Select(i => (i % 5) switch
            {
                0 => Specs.Json("sleep", """{"ms": 80}""", tag: (ulong)i),
                1 => Specs.Json("sleep", """{"ms": 20}""", tag: (ulong)i),
                2 => Specs.Json("count_primes", """{"limit": 300000}""", tag: (ulong)i),
                3 => Specs.Json("sum_of_squares", """{"n": 4}""", tag: (ulong)i),
                _ => Specs.Json("monte_carlo_pi", """{"samples": 300000}""", tag: (ulong)i),
            }));
        }
    }
}

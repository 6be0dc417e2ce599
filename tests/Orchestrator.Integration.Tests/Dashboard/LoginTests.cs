using System.Net;
using System.Net.WebSockets;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Dashboard;

/// <summary>Part 9, 9: who may see the page, and what another site cannot make a browser do.</summary>
public sealed class LoginTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task A_code_logs_one_browser_in()
    {
        var login = await _coordinator.Admin.CreateLoginCodeAsync(new CreateLoginCodeRequest(), CoordinatorProcess.Deadline());
        Assert.Equal(_coordinator.HttpAddress + "/", login.Page);
        using var browser = new PageClient(_coordinator.HttpAddress);
        using (var before = await browser.SendAsync(HttpMethod.Get, "session"))
            Assert.Equal(HttpStatusCode.Unauthorized, before.StatusCode);
        using (var wrong = await browser.PostLoginAsync(code: login.Code + "x"))
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        using (var first = await browser.PostLoginAsync(code: login.Code))
        {
            Assert.Equal(HttpStatusCode.NoContent, first.StatusCode);
            var cookie = Assert.Single(first.Headers.GetValues("set-cookie"));
            Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        }

        using (var session = await browser.SendAsync(HttpMethod.Get, "session"))
            Assert.Contains("\"role\":\"operate\"", await session.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var other = new PageClient(_coordinator.HttpAddress);
        using (var second = await other.PostLoginAsync(code: login.Code))
            Assert.Equal(HttpStatusCode.Unauthorized, second.StatusCode);
        using (var logout = await browser.SendAsync(HttpMethod.Post, "logout"))
            Assert.Equal(HttpStatusCode.NoContent, logout.StatusCode);
        using (var after = await browser.SendAsync(HttpMethod.Get, "session"))
            Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Fact]
    public async Task Logins_are_limited_to_five_a_second()
    {
        await using var own = await CoordinatorProcess.StartAsync("--workers", "0");
        using var browser = new PageClient(own.HttpAddress);
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => browser.PostLoginAsync(token: "wrong")));
        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.All(answers, answer => Assert.True(
            answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.Unauthorized, answer.StatusCode.ToString()));
    }

    [Theory]
    [InlineData("no header of the page")]
    [InlineData("another origin")]
    [InlineData("another host")]
    public async Task A_cookie_alone_is_not_enough(string what)
    {
        using var browser = await PageClient.LogInAsync(_coordinator);
        using var response = await browser.SendAsync(
            HttpMethod.Post, "api/orchestrator.v1.AdminService/GetStatus", "{}", page: what != "no header of the page", request =>
            {
                if (what == "another origin")
                    request.Headers.Add("Origin", "http://evil.example");
                else if (what == "another host")
                    request.Headers.Host = "evil.example";
            });
        Assert.Equal(what == "another host" ? HttpStatusCode.MisdirectedRequest : HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_socket_of_another_origin_is_refused()
    {
        using var browser = await PageClient.LogInAsync(_coordinator);
        await Assert.ThrowsAsync<WebSocketException>(() => browser.OpenFeedAsync(spans: false, origin: "http://evil.example"));
        using var stranger = new PageClient(_coordinator.HttpAddress);
        await Assert.ThrowsAsync<WebSocketException>(() => stranger.OpenFeedAsync(spans: false));
    }

    [Fact]
    public async Task A_browser_has_the_rights_of_its_token_and_loses_them_with_it()
    {
        var files = new TokenFiles(_coordinator.DataDirectory, TimeProvider.System);
        var (entry, token) = files.Create(Role.Observe, TimeSpan.FromHours(1));
        using var browser = await PageClient.LogInAsync(_coordinator, token);
        await browser.CallAsync("AdminService/GetStatus");
        using (var refused = await browser.SendAsync(
            HttpMethod.Post, "api/orchestrator.v1.AdminService/ScaleWorkers", """{"workers": 1}"""))
        {
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Contains("permission_denied", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using var feed = await browser.OpenFeedAsync(spans: false);
        Assert.NotNull((await PageClient.ReadAsync(feed)).Json);
        files.Revoke(entry.Id);
        PageClient.FeedMessage message;
        do
            message = await PageClient.ReadAsync(feed);
        while (message.Closed is null);
        Assert.Equal(4401, (int)message.Closed);
        using var after = await browser.SendAsync(HttpMethod.Get, "session");
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }
}

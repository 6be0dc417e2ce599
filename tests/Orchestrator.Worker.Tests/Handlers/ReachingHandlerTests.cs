using System.Net;
using System.Text;
using Microsoft.Data.Sqlite;
using Orchestrator.V1;

namespace Orchestrator.Worker.Tests.Handlers;

/// <summary>Handlers that wait, or access resources outside their input.</summary>
public sealed class ReachingHandlerTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("handlers").FullName;

    [Fact]
    public async Task Sleepers_answer_with_their_time_and_obey_a_cancel()
    {
        await using var fixture = new HandlerFixture();
        foreach (var handler in new[] { "sleep", "blocking_sleep" })
        {
            Assert.Equal("1", await fixture.AnswerAsync(handler, """{"ms": 1}"""));
            Assert.Equal(
                $"input of '{handler}': field 'ms' must be between 0 and 86400000, got -5",
                await fixture.InvalidAsync(handler, """{"ms": -5}"""));
            var assignment = fixture.Executor.Assign(handler, """{"ms": 86400000}""");
            fixture.Executor.Start(assignment);
            fixture.Executor.Executor.Cancel(assignment.TaskId, 1);
            Assert.Equal(ErrorReason.Cancelled, (await fixture.Executor.Sink.ResultAsync(assignment)).Error!.Reason);
        }
    }

    [Fact]
    public async Task Echo_returns_the_very_bytes()
    {
        await using var fixture = new HandlerFixture();
        var assignment = fixture.Executor.Assign("echo", """{"a": [1, "2", null]}""");
        Assert.Same(assignment.Input, (await fixture.Executor.RunAsync(assignment)).Output);
        var malformed = fixture.Executor.Assign("echo");
        malformed.Input = Google.Protobuf.ByteString.CopyFrom(0xFF);
        Assert.Equal(malformed.Input, (await fixture.Executor.RunAsync(malformed)).Output);
    }

    /// <summary>
    /// Part 5, 19: the data directory is never readable, even when an allowed directory contains it, or a link leads there.
    /// </summary>
    [Fact]
    public async Task A_denied_directory_inside_an_allowed_one_is_not_read()
    {
        var data = Directory.CreateDirectory(Path.Combine(_root, "data")).FullName;
        await File.WriteAllTextAsync(Path.Combine(data, "token"), "secret", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_root, "a.txt"), "hello", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Path.Combine(_root, "link"), Path.Combine(data, "token"));
        await using var fixture = new HandlerFixture(new() { AllowedDirectories = { _root }, DeniedDirectories = { data } });
        Assert.Equal("hello"u8.ToArray(), HandlerFixture.Bytes(await fixture.RunAsync("read_file", Json(_root, "a.txt"))));
        foreach (var path in new[] { "data/token", "link", "data/../data/token" })
            Assert.Contains(
                "outside the directories", await fixture.InvalidAsync("read_file", Json(_root, path)), StringComparison.Ordinal);
        await using (var connection = new SqliteConnection($"Data Source={Path.Combine(data, "journal.db")};Pooling=False"))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new SqliteCommand("create table item (id integer)", connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        Assert.Contains("outside the directories", await fixture.InvalidAsync(
            "sql_query", Sql(Path.Combine(data, "journal.db"), "select 1")), StringComparison.Ordinal);
    }

    /// <summary>
    /// Part 5, 19: a query is bounded in length and in memory for its results, and reaches no settings and no other files.
    /// </summary>
    [Fact]
    public async Task A_query_is_bounded_and_reaches_its_own_database_only()
    {
        var path = Path.Combine(_root, "bounded.db");
        await using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new SqliteCommand("create table item (id integer)", connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        await using var fixture = new HandlerFixture(new() { AllowedDirectories = { _root } });
        Assert.Contains("65,536", await fixture.InvalidAsync(
            "sql_query", Sql(path, "select 1 --" + new string('x', 70_000))), StringComparison.Ordinal);
        foreach (var sql in new[] { "pragma page_size", $"attach '{path}3' as other", $"vacuum into '{path}2'",
            "select load_extension('x')" })
            Assert.StartsWith("input of 'sql_query': field 'sql' failed", await fixture.InvalidAsync("sql_query", Sql(path, sql)),
                StringComparison.Ordinal);
        // Some 5 GB, without the limit.
        const string Huge =
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000000) select count(*) from (select i, " +
            "hex(randomblob(400)) as h from n order by h)";
        Assert.StartsWith(
            "input of 'sql_query': field 'sql' failed", await fixture.InvalidAsync("sql_query", Sql(path, Huge)), StringComparison.Ordinal);
        // And the next query is served.
        Assert.Contains("42", await fixture.AnswerAsync("sql_query", Sql(path, "select 41 + 1 as n")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_read_inside_the_list_only()
    {
        var inside = Directory.CreateDirectory(Path.Combine(_root, "inside")).FullName;
        var outside = Directory.CreateDirectory(Path.Combine(_root, "inside-not")).FullName;
        await File.WriteAllTextAsync(Path.Combine(inside, "a.txt"), "hello", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(outside, "b.txt"), "secret", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Path.Combine(inside, "link.txt"), Path.Combine(outside, "b.txt"));
        Directory.CreateSymbolicLink(Path.Combine(inside, "dir"), "../inside-not");
        Directory.CreateSymbolicLink(Path.Combine(outside, "back"), inside);

        await using var fixture = new HandlerFixture(new() { AllowedDirectories = { inside } });
        Assert.Equal("hello"u8.ToArray(), HandlerFixture.Bytes(await fixture.RunAsync("read_file", Json(inside, "a.txt"))));
        Assert.Equal("hello"u8.ToArray(), HandlerFixture.Bytes(await fixture.RunAsync("read_file", Json(outside, "back/a.txt"))));
        foreach (var path in new[] { "link.txt", "dir/b.txt", "../inside-not/b.txt", "dir/../b.txt", "../none" })
            Assert.Contains("outside the directories that the option AllowedDirectories lists",
                await fixture.InvalidAsync("read_file", Json(inside, path)), StringComparison.Ordinal);
        Assert.Contains("names no file", await fixture.InvalidAsync("read_file", Json(inside, "none.txt")), StringComparison.Ordinal);
        Assert.Contains(
            "must be an absolute path", await fixture.InvalidAsync("read_file", """{"path": "a.txt"}"""), StringComparison.Ordinal);

        await using var closed = new HandlerFixture();
        Assert.Contains("unless the option AllowedDirectories lists", await closed.InvalidAsync("read_file", Json(inside, "a.txt")),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_over_the_limit_is_not_read()
    {
        var path = Path.Combine(_root, "large");
        await using (var file = File.Create(path))
            file.SetLength(5_000_000);
        await using var fixture = new HandlerFixture(new() { AllowedDirectories = { _root } });
        Assert.Equal(ErrorReason.LimitExceeded, (await fixture.RunAsync("read_file", Json(_root, "large"))).Error!.Reason);
    }

    [Fact]
    public async Task Databases_are_queried_read_only_and_alone()
    {
        var path = CreateDatabase("shop.db");
        await using var fixture = new HandlerFixture(new() { AllowedDirectories = { _root } });
        Assert.Equal(
            """[ { "id": 1, "name": "tea", "big": "9223372036854775807" }, { "id": 2, "name": null, "big": 2.5 } ]""",
            await fixture.AnswerAsync("sql_query", Sql(path, "select id, name, big from item order by id")));
        foreach (var sql in new[] { "delete from item", $"attach '{Path.Combine(_root, "new.db")}' as other",
            $"vacuum into '{Path.Combine(_root, "copy.db")}'", "select nothing" })
            Assert.StartsWith("input of 'sql_query': field 'sql' failed", await fixture.InvalidAsync("sql_query", Sql(path, sql)),
                StringComparison.Ordinal);
        Assert.Equal([path], Directory.GetFiles(_root));

        await using var closed = new HandlerFixture();
        Assert.Contains(
            "field 'database' is not allowed", await closed.InvalidAsync("sql_query", Sql(path, "select 1")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endless_query_obeys_a_cancel()
    {
        var path = CreateDatabase("shop.db");
        await using var fixture = new HandlerFixture(new() { AllowedDirectories = { _root } });
        var assignment = fixture.Executor.Assign(
            "sql_query", Sql(path, "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"));
        assignment.RunTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMilliseconds(50));
        Assert.Equal(ErrorReason.RunTimeout, (await fixture.Executor.RunAsync(assignment)).Error!.Reason);
    }

    [Fact]
    public async Task Urls_are_fetched_inside_the_list_only()
    {
        using var server = new HttpListener();
        var origin = $"http://127.0.0.1:{FreePort()}";
        server.Prefixes.Add(origin + "/");
        server.Start();
        var serving = ServeAsync(server);
        await using var fixture = new HandlerFixture(new() { AllowedUrlPrefixes = { origin + "/open", "https://example.org/" } });
        Assert.Equal("body of /open/a"u8.ToArray(), HandlerFixture.Bytes(await fixture.RunAsync("http_get", Url(origin + "/open/a"))));
        Assert.Equal("body of /open/a"u8.ToArray(), HandlerFixture.Bytes(await fixture.RunAsync("http_get", Url(origin + "/open/hop"))));
        foreach (var url in new[]
                 {
                     origin + "/secret", origin + "/openly", origin + "/open/../secret", origin + "/open/%2e%2e/secret", origin +
                         "/open/leave",
                     "http://example.org/", "https://example.org@127.0.0.1/", "https://example.org:444/",
                 })
        {
            Assert.Contains("outside what the option AllowedUrlPrefixes lists", await fixture.InvalidAsync("http_get", Url(url)),
                StringComparison.Ordinal);
        }

        Assert.Contains(
            "must be an http or https URL", await fixture.InvalidAsync("http_get", Url("file:///etc/passwd")), StringComparison.Ordinal);
        Assert.Equal(ErrorReason.HandlerFailed, (await fixture.RunAsync("http_get", Url(origin + "/open/missing"))).Error!.Reason);
        server.Stop();
        await serving.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);

        await using var closed = new HandlerFixture();
        Assert.Contains("unless the option AllowedUrlPrefixes lists it", await closed.InvalidAsync("http_get", Url(origin + "/open/a")),
            StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static string Json(string directory, string file) => $$"""{"path": "{{directory}}/{{file}}"}""";

    private static string Sql(string path, string sql) => $$"""{"database": "{{path}}", "sql": "{{sql}}"}""";

    private static string Url(string url) => $$"""{"url": "{{url}}"}""";

    private string CreateDatabase(string name)
    {
        var path = Path.Combine(_root, name);
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            "create table item (id integer, name text, big); insert into item values (1, 'tea', 9223372036854775807), (2, null, 2.5)";
        command.ExecuteNonQuery();
        return path;
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task ServeAsync(HttpListener server)
    {
        while (server.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await server.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            var path = context.Request.Url!.AbsolutePath;
            if (path == "/open/hop")
                context.Response.Redirect("/open/a");
            else if (path == "/open/leave")
                context.Response.Redirect("/secret");
            else if (path == "/open/missing")
                context.Response.StatusCode = 404;
            else
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes("body of " + path));
            context.Response.Close();
        }
    }
}

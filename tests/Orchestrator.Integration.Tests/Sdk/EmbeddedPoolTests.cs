using System.Globalization;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Load;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>Programs with an embedded pool: the two samples of docs/embedded-pool.md, run unchanged.</summary>
[Trait("Kind", "slow")]
public sealed class EmbeddedPoolTests(ITestOutputHelper output)
{
    [Fact]
    public async Task The_console_sample_prints_squares_that_other_processes_computed_and_leaves_nothing()
    {
        await using var sample = SampleProcess.Start("Squares");
        var lines = new List<string>();
        await foreach (var line in sample.Lines.ReadAllAsync())
            lines.Add(line);
        Assert.Equal(0, await sample.EndAsync());
        Assert.Equal("", sample.Errors);
        Assert.Equal(Enumerable.Range(1, 10).Select(n => $"{n} squared is {n * n}, said another process"), lines);
    }

    /// <summary>Part 5, 12: a handler's prints reach the log of the program that embeds the pool.</summary>
    [Fact]
    public async Task What_a_handler_prints_stands_in_the_programs_log_with_task_and_worker()
    {
        await using var program = SampleProcess.Start("PoolProgram", "prints");
        Assert.Equal("output 17", await program.LineAsync(_ => true));
        Assert.Equal(0, await program.EndAsync());
        Assert.Matches(@"said by a handler \(task 1 on worker-\d+#\d+\)", program.Errors);
    }

    /// <summary>Part 5, 12: the same in a host.</summary>
    [Fact]
    public async Task What_a_handler_prints_stands_in_the_hosts_log_with_task_and_worker()
    {
        await using var program = SampleProcess.Start("PoolProgram", "hosted");
        Assert.Matches(@"^\s*said by a handler \(task 1 on worker-\d+#\d+\)$", await program.LineAsync(
            line => line.Contains("said by", StringComparison.Ordinal)));
        Assert.Equal(0, await program.EndAsync());
    }

    /// <summary>Part 5, 8: an initializer that throws.</summary>
    [Fact]
    public async Task A_pool_whose_workers_do_not_start_throws_with_their_last_words()
    {
        await using var program = SampleProcess.Start("PoolProgram", "broken");
        var run = await program.LineAsync(_ => true);
        Assert.StartsWith("WorkerLost: ", run, StringComparison.Ordinal);
        Assert.Contains(
            "no living worker group can run 'pid': group 'worker' was given up after 5 early deaths", run, StringComparison.Ordinal);
        Assert.Contains("System.IO.InvalidDataException: there is no model", run, StringComparison.Ordinal);
        Assert.Equal("map WorkerLost", await program.LineAsync(_ => true));
        Assert.Equal(0, await program.EndAsync());
    }

    [Fact]
    public async Task An_endless_map_ends_with_sigterm_and_leaves_nothing()
    {
        await using var sample = SampleProcess.Start("Squares", "9223372036854775807");
        await sample.LineAsync(line => line.StartsWith("100 ", StringComparison.Ordinal));
        Assert.True(sample.Family().Count > 1);
        sample.Signal(Signals.Term);
        Assert.Equal(128 + Signals.Term, await sample.EndAsync());
        Assert.Empty(sample.Family());
    }

    /// <summary>One end within the coordinator's process, the other in a task that leaves it open.</summary>
    [Fact]
    public async Task A_direct_pipe_to_a_task_ends_with_the_task()
    {
        await using var program = SampleProcess.Start("PoolProgram", "direct");
        Assert.Equal("received HELLO", await program.LineAsync(_ => true));
        Assert.Equal("then end of file", await program.LineAsync(_ => true));
        Assert.Equal(0, await program.EndAsync());
        Assert.Equal("", program.Errors);
    }

    [Fact]
    public async Task A_killed_program_leaves_no_process()
    {
        await using var sample = SampleProcess.Start("Squares", "9223372036854775807");
        await sample.LineAsync(line => line.StartsWith("100 ", StringComparison.Ordinal));
        Assert.True(sample.Family().Count > 1);
        sample.Signal(Signals.Kill);
        await sample.EndAsync();
        Assert.Empty(sample.Family());
    }

    [Fact]
    public async Task A_reader_who_stops_reading_stops_the_program_in_flat_memory()
    {
        await using var sample = SampleProcess.Start("Squares", "9223372036854775807");
        await sample.LineAsync(line => line.StartsWith("20000 ", StringComparison.Ordinal));
        var early = Resident(sample.Pid);
        await sample.LineAsync(line => line.StartsWith("100000 ", StringComparison.Ordinal));
        // Bounded by count: five times the tasks must not take twice the memory.
        Assert.InRange(Resident(sample.Pid), 0, early * 2);
    }

    /// <remarks>
    /// Long form: <c>ORCHESTRATOR_POOL_SECONDS=60</c>, which also compares the memory of the program and of its workers with that after ten
    /// seconds.
    /// </remarks>
    [Fact]
    public async Task A_slow_reader_of_an_endless_map_bounds_what_is_read_ahead()
    {
        const int Settled = 10;
        var seconds = Settings.Number("ORCHESTRATOR_POOL_SECONDS", 2);
        await using var program = SampleProcess.Start("PoolProgram", "slow", seconds.ToString(CultureInfo.InvariantCulture));
        var looks = new List<long[]>();
        await foreach (var line in program.Lines.ReadAllAsync())
        {
            looks.Add([.. line.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture))]);
            output.WriteLine(
                $"{looks.Count} s: {looks[^1][0]} taken, {looks[^1][1]} ahead, {looks[^1][2] / 1_000_000} MB, workers " +
                $"{looks[^1][3] / 1_000_000} MB");
        }

        Assert.Equal(0, await program.EndAsync());
        Assert.Equal("", program.Errors);
        // The map's read-ahead, its reader's batch, and the one item that the producer is yielding.
        Assert.InRange(looks[^1][1], 1, 4_096 + 256 + 1);
        if (seconds < 3 * Settled)
            return;
        foreach (var memory in (int[])[2, 3])
            Assert.InRange(looks.Skip(Settled).Max(look => look[memory]), 0, looks[Settled - 1][memory] * 1.1);
    }

    [Fact]
    public async Task No_port_is_opened()
    {
        await using var sample = SampleProcess.Start("Squares", "9223372036854775807");
        await sample.LineAsync(line => line.StartsWith("100 ", StringComparison.Ordinal));
        Assert.All(sample.Family(), pid => Assert.Equal(0, ListeningPorts(pid)));
    }

    [Fact]
    public async Task The_web_sample_answers_from_a_worker_and_from_its_own_process()
    {
        await using var sample = SampleProcess.Start(
            "WebPrimes", "--urls", "http://127.0.0.1:0", "--Orchestrator:Workers", "1", "--Orchestrator:HotSpares", "0", "--environment",
            "Development");
        var listening = await sample.LineAsync(line => line.Contains("Now listening on", StringComparison.Ordinal));
        using var http = new HttpClient
        {
            BaseAddress = new Uri(
            listening[listening.IndexOf("http://", StringComparison.Ordinal)..].Trim()),
            Timeout = SdkWaits.Patience
        };
        Assert.Equal("25", await http.GetStringAsync("/primes/100"));
        Assert.Equal("25", await http.GetStringAsync("/primes-here/100"));
        Assert.Equal("Healthy", await http.GetStringAsync("/healthz"));
        Assert.Equal(2, sample.Family().Count);
        await CheckPageAsync(http);
        sample.Signal(Signals.Term);
        Assert.Equal(0, await sample.EndAsync());
    }

    /// <summary>Part 9, B: a program serves the page of its own pool; another site cannot make a browser use it.</summary>
    private static async Task CheckPageAsync(HttpClient http)
    {
        Assert.Contains("assets/main.js", await http.GetStringAsync("/orchestrator"), StringComparison.Ordinal);
        Assert.Contains("\"role\":\"operate\"", await http.GetStringAsync("/orchestrator/session"), StringComparison.Ordinal);
        foreach (var isPage in (bool[])[true, false])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/orchestrator/api/orchestrator.v1.AdminService/GetStatus");
            request.Content = new StringContent("{}", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
            if (isPage)
                request.Headers.Add("x-orchestrator", "page");
            using var response = await http.SendAsync(request);
            Assert.Equal(isPage ? System.Net.HttpStatusCode.OK : System.Net.HttpStatusCode.Forbidden, response.StatusCode);
        }
    }

    [Fact]
    public async Task Partial_outputs_progress_and_log_lines_are_streams_also_after_the_end()
    {
        await using var program = SampleProcess.Start("PoolProgram", "reports");
        Assert.Equal(
            [
                "partials 1 4 9", "output 3", "progress 1 of 3 step", "progress 2 of 3 step", "progress 3 of 3 step",
                "log info line 1", "log info line 2", "log info line 3",
            ],
            await program.Lines.ReadAllAsync().ToArrayAsync());
        Assert.Equal(0, await program.EndAsync());
    }

    [Fact]
    public async Task One_word_runs_the_same_handler_here_or_elsewhere_with_the_same_ends()
    {
        await using var program = SampleProcess.Start("PoolProgram", "places");
        var lines = await program.Lines.ReadAllAsync().ToArrayAsync();
        Assert.Equal(
            Enum.GetValues<TaskPlacement>().SelectMany(place => new[]
            {
                $"{place} {(place == TaskPlacement.CrossProcess ? "elsewhere" : "here")}",
                $"{place} System.InvalidOperationException: no luck",
            }),
            lines);
        Assert.Equal(0, await program.EndAsync());
    }

    private static long Resident(int pid) =>
        long.Parse(File.ReadAllText($"/proc/{pid}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    /// <summary>Sockets in state LISTEN among the descriptors of a process.</summary>
    private static int ListeningPorts(int pid)
    {
        var listening = ((string[])["tcp", "tcp6"])
            .SelectMany(table => File.ReadLines($"/proc/{pid}/net/{table}").Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[3] == "0A")
            .Select(fields => $"socket:[{fields[9]}]")
            .ToHashSet();
        return Directory.EnumerateFiles($"/proc/{pid}/fd").Select(fd => new FileInfo(fd).LinkTarget).Count(
            target => target is not null && listening.Contains(target));
    }
}

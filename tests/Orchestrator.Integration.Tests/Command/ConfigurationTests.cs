using System.Text.Json;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Options;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>Options of <c>serve</c> by flag, by environment variable and by file, in this order.</summary>
public sealed class ConfigurationTests
{
    /// <summary>A value that each option accepts and that is not its default.</summary>
    private static string ValueOf(System.CommandLine.Option option) => option.Name switch
    {
        "--listen" => "127.0.0.2",
        "--client-role" => "observe",
        "--log-format" => "json",
        "--worker-runtime" => "jit",
        "--drain-timeout" => "7s",
        "--memory-budget" or "--max-worker-memory" => "300MB",
        "--max-payload" => "1MB",
        _ when option.ValueType == typeof(bool) => "true",
        _ when option.ValueType == typeof(string) || option.ValueType == typeof(string[]) => "some-text",
        _ => "7",
    };

    private static IReadOnlyList<System.CommandLine.Option> Settable =>
        [.. ServeCommand.Options.Where(option => option != OptionSources.Config)];

    [Fact]
    public async Task Every_option_can_be_given_by_a_variable_and_by_a_file_and_flags_win()
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "serve.conf");
        await File.WriteAllLinesAsync(file, ["# comments and empty lines are skipped", "",
            .. Settable.Select(option => $"{option.Name[2..]} = {ValueOf(option)}")]);
        var variables = Settable.ToDictionary(OptionSources.VariableOf, ValueOf);

        var byDefault = await ShowAsync(new Dictionary<string, string>());
        var byFile = await ShowAsync(new Dictionary<string, string>(), "--config", file);
        var byVariable = await ShowAsync(variables);
        var byAll = await ShowAsync(variables, ["--config", file, "--workers", "3", "--verbose"]);
        foreach (var option in Settable)
        {
            var name = option.Name[2..];
            Assert.Equal("default", byDefault[name].Source);
            Assert.Equal("file", byFile[name].Source);
            Assert.Equal("environment", byVariable[name].Source);
            Assert.Equal(byFile[name].Value, byVariable[name].Value);
            Assert.NotEqual(byDefault[name].Value, byFile[name].Value);
            Assert.Equal(name is "workers" or "verbose" ? "flag" : "environment", byAll[name].Source);
        }

        Assert.Equal("3", byAll["workers"].Value);
    }

    [Fact]
    public async Task A_coordinator_starts_with_what_variables_and_a_file_say()
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "serve.conf");
        await File.WriteAllTextAsync(file, "workers = 1\nmax-io = 100\ncredits = 50\n");
        await using var coordinator = await CoordinatorProcess.StartAsync(
            new Dictionary<string, string> { ["ORCHESTRATOR_MAX_IO"] = "60", ["ORCHESTRATOR_CREDITS"] = "40" },
            "--config", file, "--credits", "30");
        Assert.Single(await coordinator.WorkersAsync());
        var limits = (await coordinator.Admin.ListLimitsAsync(new ListLimitsRequest())).Limits.ToDictionary(
            limit => limit.Name, limit => limit.Maximum);
        Assert.Equal((60, 30), (limits["worker_io"], limits["stream_credits"]));
    }

    [Fact]
    public async Task A_variable_gives_one_value_per_line_to_an_option_that_may_be_repeated()
    {
        var shown = await ShowAsync(new Dictionary<string, string> { ["ORCHESTRATOR_ALLOW_HOST"] = "a.example\nb.example\n" });
        Assert.Equal("a.example, b.example", shown["allow-host"].Value);
    }

    [Theory]
    [InlineData("ORCHESTRATOR_WORKERS", "many", "'many' is not a whole number, as --workers needs")]
    [InlineData("ORCHESTRATOR_VERBOSE", "yes", "'yes' is not true or false")]
    [InlineData("ORCHESTRATOR_GRPC_PORT", "tcp://10.0.0.1:7600", "enableServiceLinks: false")]
    [InlineData("ORCHESTRATOR_LOG_FORMAT", "xml", "xml")]
    [InlineData("ORCHESTRATOR_DRAIN_TIMEOUT", "soon", "'soon' is not a time")]
    public async Task A_wrong_variable_is_named(string name, string value, string expected)
    {
        using var directory = new TemporaryDirectory();
        foreach (var verb in (string[][])[["serve"], ["config", "show"]])
        {
            var (code, output) = await TestKit.CommandLine.RunAsync(
                new Dictionary<string, string> { [name] = value }, [.. verb, "--data-dir", directory.Path]);
            Assert.Equal(2, code);
            Assert.Contains(name, output, StringComparison.Ordinal);
            Assert.Contains(expected, output, StringComparison.Ordinal);
            Assert.Single(output.TrimEnd().Split('\n'));
        }
    }

    [Theory]
    [InlineData("grpc-prot = 1", "line 1: there is no option 'grpc-prot'. Did you mean 'grpc-port'?")]
    [InlineData("workers = 1\nworkers = 2", "line 2: 'workers' is given twice")]
    [InlineData("\nverbose", "line 2: 'verbose' is not of the form 'name = value'")]
    [InlineData("config = other.conf", "line 1: there is no option 'config'")]
    [InlineData("workers = many", "'many' is not a whole number, as --workers needs")]
    [InlineData(null, "cannot be read")]
    public async Task A_wrong_file_is_named_with_its_line(string? content, string expected)
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "serve.conf");
        if (content is not null)
            await File.WriteAllTextAsync(file, content);
        var (code, output) = await TestKit.CommandLine.RunAsync("serve", "--config", file, "--data-dir", directory.Path);
        Assert.Equal(2, code);
        Assert.Contains(file, output, StringComparison.Ordinal);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
    }

    /// <summary>Every line of the log can be parsed, the announcement of readiness included.</summary>
    [Fact]
    public async Task The_log_is_json_where_asked()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--log-format", "json", "--verbose", "--workers", "1");
        coordinator.Terminate();
        await coordinator.WaitForExitAsync();
        var events = coordinator.Output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        var ready = Assert.Single(events, item => item.GetProperty("event").GetString() == "Started");
        Assert.Equal(coordinator.GrpcAddress, ready.GetProperty("fields").GetProperty("grpc").GetString());
        var worker = Assert.Single(events, item => item.GetProperty("event").GetString() == "Ready");
        Assert.Equal("worker-1#1", worker.GetProperty("fields").GetProperty("Worker").GetString());
        Assert.All(events, item => Assert.EndsWith("Z", item.GetProperty("time").GetString(), StringComparison.Ordinal));
    }

    private static async Task<Dictionary<string, (string? Value, string Source)>> ShowAsync(
        Dictionary<string, string> variables, params string[] arguments)
    {
        var (code, output) = await TestKit.CommandLine.RunAsync(variables, ["config", "show", "-o", "json", .. arguments]);
        Assert.True(code == 0, output);
        return JsonDocument.Parse(output).RootElement.EnumerateArray().ToDictionary(
            item => item.GetProperty("name").GetString()!,
            item => (item.GetProperty("value").GetString(), item.GetProperty("source").GetString()!));
    }
}

using Orchestrator.Cli.Common;
using Orchestrator.Cli.LoadTest;
using Orchestrator.V1;

namespace Orchestrator.Cli.Tests.LoadTest;

/// <summary>A load test's scenario file and its ledger.</summary>
public sealed class LoadScenarioTests
{
    [Theory]
    [InlineData("""{ "name": "x" """, "is no load scenario")]
    [InlineData("""{ "name": "x", "duration": "1s", "clients": [], "colour": 1 }""", "colour")]
    [InlineData("""{ "name": "x", "duration": "soon", "clients": [] }""", "'soon' is not a time")]
    [InlineData("""{ "name": "x", "duration": "1s", "clients": [] }""", "clients must hold at least one")]
    [InlineData("""{ "name": "x", "duration": "1s", "clients": [{ "name": "a", "rate": 0, "tasks": [{ "handler": "echo" }] }] }""",
        "clients[0].rate is 0")]
    [InlineData("""{ "name": "x", "duration": "1s", "clients": [{ "name": "a", "rate": 1, "tasks": [{ "handler": "echo" }] }], "kills": [{ "what": "cat", "every": "1s" }] }""", "'cat'")]
    public async Task A_wrong_file_is_named_with_what_is_wrong(string text, string expected)
    {
        var directory = Directory.CreateTempSubdirectory("orchestrator-test-").FullName;
        try
        {
            var file = await WriteAsync(directory, text);
            var fault = await Assert.ThrowsAsync<UsageException>(() => LoadScenario.ReadAsync(file, TestContext.Current.CancellationToken));
            Assert.Contains(file, fault.Message, StringComparison.Ordinal);
            Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_ledger_that_does_not_balance_says_where()
    {
        var before = new TaskCounts { Succeeded = 10 };
        var ledger = new LoadLedger();
        ledger.Add(3);
        ledger.End(new TaskResult { State = TaskState.Succeeded }, 0, 1);
        ledger.End(new TaskResult { State = TaskState.WorkerLost }, 0, 1);
        Assert.Contains("1 are missing", Assert.Single(
            ledger.Imbalances(before, new TaskCounts { Succeeded = 11, WorkerLost = 1 })), StringComparison.Ordinal);
        ledger.GiveUp(1);
        Assert.Empty(ledger.Imbalances(before, new TaskCounts { Succeeded = 11, WorkerLost = 1, Cancelled = 1 }));
        Assert.Contains("counted 4 ends", Assert.Single(
            ledger.Imbalances(before, new TaskCounts { Succeeded = 13, WorkerLost = 1 })), StringComparison.Ordinal);
        Assert.Contains("still open", Assert.Single(
            ledger.Imbalances(before, new TaskCounts { Succeeded = 12, Running = 1 })), StringComparison.Ordinal);
        ledger.Stray();
        Assert.Contains("not open", Assert.Single(ledger.Imbalances(before, new TaskCounts { Succeeded = 12 })), StringComparison.Ordinal);
    }

    private static async Task<string> WriteAsync(string directory, string text)
    {
        var file = Path.Combine(directory, "scenario.json");
        await File.WriteAllTextAsync(file, text);
        return file;
    }
}

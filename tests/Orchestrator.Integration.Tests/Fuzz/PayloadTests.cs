using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Fuzz;

/// <summary>Payloads that pass through unparsed are valid for generated code.</summary>
public sealed class PayloadTests
{
    [Theory]
    [InlineData("{\"a\":", "1", "}", 28, true)]
    [InlineData("{\"a\":", "1", "}", 32, false)]
    [InlineData("[", "1", "]", 42, true)]
    [InlineData("[", "1", "]", 48, false)]
    public async Task What_is_nested_too_deep_for_others_fails_its_task_alone(
        string open, string inner, string close, int levels, bool fits)
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        var json = string.Concat(Enumerable.Repeat(open, levels)) + inner + string.Concat(Enumerable.Repeat(close, levels));
        var deep = new TaskSpec { Handler = "echo", Input = Payloads.FromJson(json), Tag = 1 };
        var results = await coordinator.StreamAsync([deep, Specs.Json("echo", "2", tag: 2)]);
        Assert.Equal(TaskState.Succeeded, results.Single(result => result.Tag == 2).State);
        var result = results.Single(result => result.Tag == 1);
        Assert.Equal(fits ? TaskState.Succeeded : TaskState.Failed, result.State);
        if (!fits)
            Assert.Contains("nested too deep", result.Error.Message, StringComparison.Ordinal);
    }
}

using Orchestrator.Handlers;
using Orchestrator.Handlers.Common;
using Orchestrator.V1;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Tests.Handlers;

public sealed class CatalogueTests
{
    private static readonly string[] s_chaos =
        ["throw", "crash", "exit", "abort", "stack_overflow", "allocate", "spin", "hang", "flood_stderr"];

    [Fact]
    public void Every_handler_is_described()
    {
        var registry = new TaskHandlerRegistry();
        StockHandlers.Register(registry, new StockHandlerOptions { AllowChaos = true });
        foreach (var info in registry.Handlers.Select(handler => handler.ToHandlerInfo()))
        {
            Assert.NotEmpty(info.Description);
            Assert.NotEqual(Orchestrator.V1.TaskKind.Unspecified, info.Kind);
            // Packed bytes cannot be written as JSON.
            Assert.True(info.ExampleInput is not null || info.Name == "gunzip", info.Name);
        }
    }

    [Fact]
    public void Chaos_is_off_by_default()
    {
        var registry = new TaskHandlerRegistry();
        StockHandlers.Register(registry, new StockHandlerOptions());
        Assert.DoesNotContain(registry.Handlers, handler => s_chaos.Contains(handler.Name));
    }

    [Fact]
    public async Task Chaos_other_than_exceptions_is_refused_in_process()
    {
        await using var fixture = new HandlerFixture(new() { AllowChaos = true }, ExecutorLayout.Threads(2));
        foreach (var handler in s_chaos.Skip(1))
        {
            var input = handler switch
            {
                "allocate" or "flood_stderr" => """{"mb": 1}""",
                "spin" => """{"ms": 1}""",
                _ => "{}",
            };
            Assert.Contains("placement WORKER_PROCESS", await fixture.InvalidAsync(handler, input), StringComparison.Ordinal);
        }

        var error = (await fixture.RunAsync("throw", """{"message": "no luck"}""")).Error!;
        Assert.Equal((ErrorReason.HandlerFailed, "System.InvalidOperationException", "no luck"), (error.Reason, error.Type, error.Message));
    }

    [Fact]
    public async Task Harmless_chaos_ends_in_a_worker()
    {
        await using var fixture = new HandlerFixture(new() { AllowChaos = true });
        Assert.Equal("2", await fixture.AnswerAsync("allocate", """{"mb": 2}"""));
        Assert.Equal("1", await fixture.AnswerAsync("spin", """{"ms": 1}"""));
        Assert.Equal("input of 'allocate': field 'mb' must be between 1 and 1048576, got 0",
            await fixture.InvalidAsync("allocate", """{"mb": 0}"""));
        Assert.Equal(
            "input of 'exit': field 'code' must be between 0 and 255, got 256", await fixture.InvalidAsync("exit", """{"code": 256}"""));
    }
}

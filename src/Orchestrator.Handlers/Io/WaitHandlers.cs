using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Io;

/// <summary>Handlers that wait, or do nothing at all.</summary>
internal static class WaitHandlers
{
    private const int MaxMilliseconds = 86_400_000;

    public static void Register(ITaskMap map)
    {
        var json = StockJson.Default.Options;
        map.MapTask(
            "echo", static (TaskPayload payload) => payload,
            new() { Kind = HandlerKind.Io, Description = "Answers with its input, untouched.", Example = "\"hello\"" });
        map.MapTask(
            "sleep", (MillisecondsInput input, TaskContext context) => SleepAsync(input.Ms, context, context.CancellationToken),
            new()
            {
                Json = json,
                Description = "Waits without holding a thread; answers with the milliseconds.",
                Example = """{"ms": 1000}""",
            });
        map.MapTask(
            "blocking_sleep", (MillisecondsInput input, CancellationToken ct) => BlockingSleep(input.Ms, ct),
            new()
            {
                Kind = HandlerKind.Blocking,
                Json = json,
                Description = "Holds a thread while it waits; answers with the milliseconds.",
                Example = """{"ms": 1000}""",
            });
    }

    private static async Task<int> SleepAsync(int milliseconds, TaskContext context, CancellationToken cancellationToken)
    {
        Check.Range("ms", milliseconds, 0, MaxMilliseconds);
        var time = context.Services.GetService<TimeProvider>() ?? TimeProvider.System;
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), time, cancellationToken);
        return milliseconds;
    }

    private static int BlockingSleep(int milliseconds, CancellationToken cancellationToken)
    {
        Check.Range("ms", milliseconds, 0, MaxMilliseconds);
        // Thread.Sleep could not be woken by a cancel.
        cancellationToken.WaitHandle.WaitOne(milliseconds);
        cancellationToken.ThrowIfCancellationRequested();
        return milliseconds;
    }
}

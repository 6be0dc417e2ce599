using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Io;

/// <summary>Handlers that wait, or do nothing at all.</summary>
internal static class WaitHandlers
{
    private const int MaxMilliseconds = 86_400_000;

    public static void Register(ITaskMap map)
    {
        var json = StockJson.Default.Options;
        map.MapPayload("echo", HandlerKind.Io, static (payload, _) => new(payload), "Answers with its input, untouched.", "\"hello\"");
        map.MapTask(
            "sleep", HandlerKind.Io,
            async (MillisecondsInput input, TaskContext context, CancellationToken ct) => await SleepAsync(input.Ms, context, ct), json,
            "Waits without holding a thread; answers with the milliseconds.", """{"ms": 1000}""");
        map.MapTask(
            "blocking_sleep", HandlerKind.Blocking,
            (MillisecondsInput input, TaskContext _, CancellationToken ct) => BlockingSleep(input.Ms, ct), json,
            "Holds a thread while it waits; answers with the milliseconds.", """{"ms": 1000}""");
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

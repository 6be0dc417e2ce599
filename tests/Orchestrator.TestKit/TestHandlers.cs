using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Worker;

namespace Orchestrator.TestKit;

/// <summary>Handlers of <see cref="TestWorker"/> that do to their worker, or to whoever reads of them, what user code may do.</summary>
internal static class TestHandlers
{
    public static void Register(ITaskMap map)
    {
        map.MapTask("wait", TaskKind.Io, async (int milliseconds, TaskContext _, CancellationToken cancellationToken) =>
        {
            await Task.Delay(milliseconds, cancellationToken);
            return milliseconds;
        });
        map.MapTask("hostile", TaskKind.Cpu, (string kind) => Throw(kind));
        map.MapTask("hostile_io", TaskKind.Io, async (string kind, TaskContext _, CancellationToken _) =>
        {
            await Task.Yield();
            return Throw(kind);
        });
        map.MapTask("hostile_log", TaskKind.Cpu, (string kind, TaskContext context, CancellationToken _) =>
        {
#pragma warning disable CA1848, CA2254 // It is what a user would write.
            context.Logger.LogError(HostileException.Create(kind), "it failed");
#pragma warning restore CA1848, CA2254
            context.ReportProgress(1, 2, "half a pair: \ud800");
            return 0;
        });
        map.MapTask("fail_fast", TaskKind.Cpu, (int depth) => FailFast(depth));
        map.MapTask("unhandled", TaskKind.Cpu, (int depth) =>
        {
            var thread = new Thread(() => Deep(depth));
            thread.Start();
            thread.Join();
            return 0;
        });
    }

    private static int Throw(string kind) => throw HostileException.Create(kind);

    // The additions after the calls keep them from becoming loops.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static int FailFast(int depth)
    {
        if (depth == 0)
            Environment.FailFast("the model is corrupt");
        return FailFast(depth - 1) + 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static int Deep(int depth) => depth == 0 ? throw new InvalidDataException("the model is corrupt") : Deep(depth - 1) + 1;
}

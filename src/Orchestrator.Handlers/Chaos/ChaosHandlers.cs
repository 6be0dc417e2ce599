using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Chaos;

/// <summary>Handlers that harm their worker as faulty user code would. Only if the options allow it.</summary>
internal static partial class ChaosHandlers
{
    private const int SegmentationFault = 11;
    private const int MaxMegabytes = 1 << 20;
    private const int MaxMilliseconds = 86_400_000;
    private const int MegaByte = 1 << 20;

    // A bag, since a worker may have more than one thread for CPU-bound tasks.
    private static readonly ConcurrentBag<byte[]> Leaked = [];

    public static void Register(ITaskMap map)
    {
        var json = StockJson.Default.Options;
        map.MapTask(
            "throw", (MessageInput input) => Throw(input.Message),
            new() { Json = json, Description = "Throws an exception.", Example = """{"message": "no luck"}""" });
        map.MapTask(
            "crash", (NoInput _, TaskContext context) => Crash(context),
            new() { Json = json, Description = "Dies of SIGSEGV.", Example = "{}" });
        map.MapTask(
            "exit", (ExitInput input, TaskContext context) => Exit(input.Code, context),
            new() { Json = json, Description = "Ends its process with an exit code.", Example = """{"code": 42}""" });
        map.MapTask(
            "abort", (NoInput _, TaskContext context) => Abort(context),
            new() { Json = json, Description = "Dies of SIGABRT.", Example = "{}" });
        map.MapTask(
            "stack_overflow", (NoInput _, TaskContext context) => Overflow(context),
            new() { Json = json, Description = "Overflows its stack.", Example = "{}" });
        map.MapTask(
            "allocate", (MegabytesInput input, TaskContext context) => Allocate(input.Mb, context, context.CancellationToken),
            new() { Json = json, Description = "Takes memory, touches it, and frees it at the end.", Example = """{"mb": 100}""" });
        map.MapTask(
            "leak", (MegabytesInput input, TaskContext context) => Leak(input.Mb, context, context.CancellationToken),
            new() { Json = json, Description = "Takes memory, touches it, and never frees it.", Example = """{"mb": 10}""" });
        map.MapTask(
            "spin", (MillisecondsInput input, TaskContext context) => Spin(input.Ms, context),
            new() { Json = json, Description = "Computes for a time and ignores its cancellation.", Example = """{"ms": 10000}""" });
        map.MapTask(
            "hang", (NoInput _, TaskContext context) => HangAsync(context),
            new() { Json = json, Description = "Never ends, and ignores its cancellation.", Example = "{}" });
        map.MapTask(
            "flood_stderr", (MegabytesInput input, TaskContext context) => Flood(input.Mb, context, context.CancellationToken),
            new() { Json = json, Description = "Writes megabytes of lines to standard error.", Example = """{"mb": 10}""" });
    }

    private static int Throw(string message) => throw new InvalidOperationException(message);

    private static int Crash(TaskContext context)
    {
        ThrowIfInProcess(context);
        // The runtime turns a fault at a bad address into an exception or an abort, so its handler has to be removed first.
        _ = Signal(SegmentationFault, 0);
        _ = Kill(Environment.ProcessId, SegmentationFault);
        return HoldThread();
    }

    private static int Exit(int code, TaskContext context)
    {
        Check.Range("code", code, 0, 255);
        ThrowIfInProcess(context);
        Environment.Exit(code);
        return 0;
    }

    private static int Abort(TaskContext context)
    {
        ThrowIfInProcess(context);
        Environment.FailFast("aborted on purpose");
        return 0;
    }

    private static int Overflow(TaskContext context)
    {
        ThrowIfInProcess(context);
        return Descend(0);
    }

    // The addition after the call keeps it from becoming a loop.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static int Descend(int depth) => Descend(depth + 1) + 1;

    private static int Allocate(int megabytes, TaskContext context, CancellationToken cancellationToken)
    {
        Check.Range("mb", megabytes, 1, MaxMegabytes);
        ThrowIfInProcess(context);
        var held = new List<byte[]>();
        for (var i = 0; i < megabytes; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            held.Add(Block());
        }

        GC.KeepAlive(held);
        return megabytes;
    }

    private static int Leak(int megabytes, TaskContext context, CancellationToken cancellationToken)
    {
        Check.Range("mb", megabytes, 1, MaxMegabytes);
        ThrowIfInProcess(context);
        for (var i = 0; i < megabytes; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Leaked.Add(Block());
        }

        return megabytes;
    }

    private static byte[] Block()
    {
        var block = new byte[MegaByte];
        // The kernel allocates a page only once it is written to.
        for (var page = 0; page < block.Length; page += 4096)
            block[page] = 1;
        return block;
    }

    private static int Spin(int milliseconds, TaskContext context)
    {
        Check.Range("ms", milliseconds, 0, MaxMilliseconds);
        ThrowIfInProcess(context);
        // The coordinator counts an attempt as running once it is sent to a free lane; this says that its code runs.
        context.ReportProgress(0, milliseconds, "spins");
        var watch = Stopwatch.StartNew();
        while (watch.ElapsedMilliseconds < milliseconds)
        {
        }

        return milliseconds;
    }

    private static async Task<int> HangAsync(TaskContext context)
    {
        ThrowIfInProcess(context);
        return await new TaskCompletionSource<int>().Task;
    }

    private static int Flood(int megabytes, TaskContext context, CancellationToken cancellationToken)
    {
        Check.Range("mb", megabytes, 1, MaxMegabytes);
        ThrowIfInProcess(context);
        var line = new string('x', 1023);
        for (var i = 0; i < megabytes * 1024L; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Console.Error.WriteLine(line);
        }

        return megabytes;
    }

    /// <summary>The signal arrives when the kernel delivers it; until then this thread must do nothing else.</summary>
    private static int HoldThread()
    {
        using var never = new ManualResetEventSlim();
        never.Wait();
        return 0;
    }

    private static void ThrowIfInProcess(TaskContext context)
    {
        if (context.IsInProcess)
            throw new InvalidInputException(
                "is refused in process, where it would take the coordinator down; use placement WORKER_PROCESS");
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}

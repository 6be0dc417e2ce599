using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.TestKit;

/// <summary>Handlers of <see cref="TestWorker"/> that do to their worker, or to readers of their errors, what user code may do.</summary>
internal static class TestHandlers
{
    public static void Register(ITaskMap map)
    {
        map.MapTask("wait", async (int milliseconds, CancellationToken cancellationToken) =>
        {
            await Task.Delay(milliseconds, cancellationToken);
            return milliseconds;
        });
        map.MapTask(
            "trace",
            async (string _, TaskContext context) =>
            {
                await Task.Yield();
                return $"{context.TraceParent} {Activity.Current?.ParentId} {Activity.Current?.Source.Name}";
            });
        map.MapTask(
            "locked",
            async (string name, TaskContext context) =>
            {
                context.Logger.Log(LogLevel.Information, default, name, null, static (name, _) => $"waits for {name}");
                await using var held = await context.Lock(name).AcquireAsync();
                return held.FencingToken;
            });
        map.MapTask("hostile", (string kind) => Throw(kind));
        map.MapTask("hostile_io", async (string kind) =>
        {
            await Task.Yield();
            return Throw(kind);
        });
        map.MapTask("hostile_log", (string kind, TaskContext context) =>
        {
#pragma warning disable CA1848, CA2254 // It is what a user would write.
            context.Logger.LogError(HostileException.Create(kind), "it failed");
#pragma warning restore CA1848, CA2254
            context.ReportProgress(1, 2, "half a pair: \ud800");
            return 0;
        });
        map.MapTask("print",
            (string name, TaskContext context) => PrintAsync(name, context, context.CancellationToken));
        map.MapTask("print_much", (int lines) =>
        {
            for (var i = 0; i < lines; i++)
                Console.WriteLine($"{i} {new string('x', 1_000)}");
            return lines;
        });
        map.MapTask("print_child", (string text) => Shell($"echo '{text}'; echo '{text}, wrong' >&2"));
        map.MapTask("read_input",
            (string _) => $"{Console.In.ReadToEnd()}{Shell("cat")}{Console.OpenStandardInput().Read(new byte[1])}");
        map.MapTask("print_and_die", (string text) =>
        {
            Console.WriteLine(text);
            Environment.Exit(9);
            return 0;
        });
        map.MapTask("spawn", (string script) =>
        {
            using var process = System.Diagnostics.Process.Start("/bin/sh", ["-c", script]);
            return process.Id;
        });
        map.MapTask("print_late", (string text) =>
        {
            _ = Task.Run(
                async () =>
                {
                    await s_late.Task;
                    Console.WriteLine(text);
                },
                CancellationToken.None);
            return Task.FromResult(0);
        });
        map.MapTask("let_late_print", (int _) => s_late.TrySetResult(), new() { Kind = HandlerKind.Io });
        // This many log lines, then this many partial outputs, each of this many bytes that begin with its number.
        map.MapTask("yield", async (int[] shape, TaskContext context) =>
        {
            for (var i = 0; i < shape[0]; i++)
                Console.WriteLine($"line {i}");
            for (var i = 0; i < shape[1]; i++)
            {
                var bytes = new byte[shape[2]];
                BitConverter.TryWriteBytes(bytes, i);
                await context.WritePartialBytesAsync(bytes);
            }

            return shape[1];
        });
        map.MapTask("fail_fast", (int depth) => FailFast(depth));
        map.MapTask("unhandled", (int depth) =>
        {
            var thread = new Thread(() => Deep(depth));
            thread.Start();
            thread.Join();
            return 0;
        });
    }

    private static readonly TaskCompletionSource s_late = new();

    // By every output API, on the thread that began it and on others, with other attempts that do the same.
    private static async Task<int> PrintAsync(string name, TaskContext context, CancellationToken cancellationToken)
    {
#pragma warning disable CA1848, CA1873, CA2254 // It is what a user would write.
        Console.WriteLine($"{name} at once");
        Console.Error.WriteLine($"{name} to error");
        await Task.Delay(5, cancellationToken);
        Console.Write($"{name} in ");
        await Task.Run(() => Console.WriteLine("two pieces"), cancellationToken);
        context.Logger.LogInformation($"{name} by the context's logger");
        context.Services.GetRequiredService<ILogger<HostileException>>().LogInformation($"{name} by a logger of a class");
        context.Services.GetRequiredService<ILogger<HostileException>>().LogDebug($"{name} for debugging");
        Parallel.For(0, 2, i => Console.WriteLine($"{name} in parallel"));
        Console.Write($"{name} without an end");
#pragma warning restore CA1848, CA1873, CA2254
        return 0;
    }

    private static string Shell(string script)
    {
        using var process = System.Diagnostics.Process.Start("/bin/sh", ["-c", script]);
        process.WaitForExit();
        return $"{process.ExitCode}";
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

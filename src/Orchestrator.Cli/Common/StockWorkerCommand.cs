using Orchestrator.Handlers;
using Orchestrator.Handlers.Common;

namespace Orchestrator.Cli.Common;

/// <summary>What runs the command's own workers.</summary>
internal enum WorkerRuntime
{
    /// <summary>Native code where it can be had, otherwise the runtime with its just-in-time compiler.</summary>
    Auto,

    /// <summary>Native code.</summary>
    Native,

    /// <summary>The runtime with its just-in-time compiler.</summary>
    Jit,
}

/// <summary>The command that starts one of the command's own workers.</summary>
/// <param name="Command">The program and its arguments.</param>
/// <param name="Note">Why it is not the native program that lies here; null if it is, or if none does.</param>
internal sealed record StockWorkerCommand(IReadOnlyList<string> Command, string? Note)
{
    private const string NoGrpc = "--worker-grpc needs the web framework, which the native worker is without";

    /// <summary>Chooses the program.</summary>
    /// <param name="runtime">What is wanted.</param>
    /// <param name="options">What the handlers may do.</param>
    /// <param name="servesGrpc">Whether the worker serves gRPC on its socket.</param>
    /// <exception cref="UsageException">What is wanted cannot be had.</exception>
    public static StockWorkerCommand Create(WorkerRuntime runtime, StockHandlerOptions options, bool servesGrpc = false)
    {
        string[] arguments = [.. StockWorkerArguments.Format(options, servesGrpc)];
        if (SelfCommand.IsNative)
        {
            return runtime != WorkerRuntime.Jit ? new([SelfCommand.Path, "worker", .. arguments], null)
                : throw new UsageException("--worker-runtime jit: this command is native code itself and has no just-in-time compiler.");
        }

        var fault = runtime == WorkerRuntime.Jit || (runtime == WorkerRuntime.Auto && !NativeWorker.Exists) ? ""
            : servesGrpc ? NoGrpc
            : NativeWorker.Fault();
        if (fault is null)
            return new([NativeWorker.Path, .. arguments], null);
        if (runtime == WorkerRuntime.Native)
            throw new UsageException($"--worker-runtime native: {fault}.");
        return new(
            [SelfCommand.Path, .. SelfCommand.Arguments(["worker", .. arguments])],
            fault.Length == 0 ? null : $"the workers are not native code: {fault}");
    }
}

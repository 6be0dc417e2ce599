using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Doctor;

/// <summary>A check of the program that runs the command's own workers.</summary>
internal static class WorkerChecks
{
    public static IEnumerable<Check> Run()
    {
        const string Name = "worker runtime";
        yield return SelfCommand.IsNative ? Check.Ok(Name, "native code, this command itself")
            : !NativeWorker.Exists
            ? Check.Ok(Name, "just-in-time compiler: this command has no native worker for this machine")
            : NativeWorker.Fault() is { } fault
            ? new(Name, Verdict.Warn, $"just-in-time compiler: {fault}", "make the package on this system with 'scripts/pack'")
            : Check.Ok(Name, $"native code, {NativeWorker.Path}");
    }
}

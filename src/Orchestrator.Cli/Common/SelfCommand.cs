using System.Runtime.CompilerServices;

namespace Orchestrator.Cli.Common;

/// <summary>The command line that starts this program again as another process.</summary>
internal static class SelfCommand
{
    // Under `dotnet orchestrator.dll` the process is dotnet, and the first argument names the assembly.
    private static readonly bool ViaDotnet =
        System.IO.Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet";

    /// <summary>Whether this program was compiled to native code, and so needs no runtime beside it.</summary>
    public static bool IsNative => !RuntimeFeature.IsDynamicCodeCompiled;

    public static string Path { get; } = Environment.ProcessPath ?? throw new PlatformNotSupportedException();

    public static IEnumerable<string> Arguments(IEnumerable<string> arguments) =>
        ViaDotnet ? [System.IO.Path.Combine(AppContext.BaseDirectory, "orchestrator.dll"), .. arguments] : arguments;
}

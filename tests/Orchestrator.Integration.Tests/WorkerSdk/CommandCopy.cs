using System.Runtime.InteropServices;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.WorkerSdk;

/// <summary>A copy of the built command, by links, beside which a test lays a native worker of its own.</summary>
internal sealed class CommandCopy : IDisposable
{
    private CommandCopy(string folder) => Folder = folder;

    /// <summary>Its folder.</summary>
    public string Folder { get; }

    /// <summary>The command.</summary>
    public string Command => Path.Combine(Folder, "orchestrator");

    /// <summary>The file where the command looks for its native worker.</summary>
    public string Worker => Path.Combine(
        Folder, "runtimes", $"linux-{RuntimeInformation.ProcessArchitecture}".ToLowerInvariant(), "native", "orchestrator-worker");

    /// <summary>Started as its coordinator: what <see cref="CoordinatorProcess.StartBehindAsync"/> runs first.</summary>
    public IReadOnlyList<string> Prefix => ["/bin/sh", "-c", $"exec '{Command}' \"$@\""];

    public static async Task<CommandCopy> CreateAsync()
    {
        var built = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        // Beside the original, since a link stays within its file system.
        var copy = new CommandCopy($"{built}-{Guid.NewGuid():N}");
        var (code, output) = await CommandLine.RunProgramAsync("cp", new Dictionary<string, string>(), "-al", built, copy.Folder);
        Assert.True(code == 0, output);
        File.Delete(copy.Worker);
        return copy;
    }

    /// <summary>A script in the place of the native worker.</summary>
    public void WriteWorker(string script, UnixFileMode mode)
    {
        File.WriteAllText(Worker, "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(Worker, mode);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

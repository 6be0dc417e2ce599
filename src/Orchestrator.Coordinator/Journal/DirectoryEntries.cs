using System.Runtime.InteropServices;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Makes a new or renamed file durable by flushing its directory.</summary>
internal static partial class DirectoryEntries
{
    private const int ReadOnlyDirectory = 0x10000;

    public static void Flush(string directory)
    {
        var descriptor = Open(directory, ReadOnlyDirectory);
        if (descriptor < 0)
            return;
        _ = FSync(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}

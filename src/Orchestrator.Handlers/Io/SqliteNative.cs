using System.Runtime.InteropServices;
using SQLitePCL;

namespace Orchestrator.Handlers.Io;

/// <summary>SQLite functions that its .NET provider does not expose.</summary>
internal static unsafe partial class SqliteNative
{
    private const string Library = "e_sqlite3";
    private const int FilePointer = 7;

    // struct unixFile { const sqlite3_io_methods *; sqlite3_vfs *; unixInodeInfo *; int h; … }, since version 3.7; the library comes with
    // this program.
    private const int DescriptorOffset = 24;

    /// <summary>The descriptor of the database's file; -1 where it has none.</summary>
    public static int DescriptorOf(sqlite3 connection)
    {
        byte* file = null;
        fixed (byte* name = "main\0"u8)
        {
            if (sqlite3_file_control(connection.DangerousGetHandle(), name, FilePointer, &file) != 0 || file == null || *(nint*)file == 0)
                return -1;
        }

        return *(int*)(file + DescriptorOffset);
    }

    /// <summary>Bounds the memory of all connections of this process; a query that needs more fails.</summary>
    public static void LimitHeap(long bytes) => sqlite3_hard_heap_limit64(bytes);

    [LibraryImport(Library)]
    private static partial int sqlite3_file_control(nint connection, byte* name, int operation, void* argument);

    [LibraryImport(Library)]
    private static partial long sqlite3_hard_heap_limit64(long bytes);
}

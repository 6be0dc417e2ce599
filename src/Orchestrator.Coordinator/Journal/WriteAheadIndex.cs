using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// The end of an open connection's write-ahead log, read from SQLite's index of that log (sqlite.org/walformat.html, "WAL-Index Header").
/// The index is shared memory that SQLite has mapped already, so reading it takes no system call. Only the writer may read it, between two
/// transactions.
/// </summary>
internal sealed unsafe partial class WriteAheadIndex
{
    private const string Library = "e_sqlite3";
    private const int FilePointer = 7;
    private const int SharedMapMethod = 13;
    private const int RegionBytes = 32 * 1_024;
    private const int FramesAt = 16;
    private const int SumAt = 24;
    private const int SaltsAt = 32;
    private const int CheckpointedAt = 96;

    private readonly byte* _header;

    /// <summary>Finds the index. The connection must have read or written before, so that the index exists.</summary>
    public WriteAheadIndex(SqliteConnection connection)
    {
        // struct sqlite3_file { const sqlite3_io_methods *pMethods; … }: a version, then functions in a documented order.
        nint** file = null;
        void* region = null;
        fixed (byte* name = "main\0"u8)
        {
            if (sqlite3_file_control(connection.Handle!.DangerousGetHandle(), name, FilePointer, &file) != 0 || file is null
                || *file is null)
                throw new JournalException("SQLite does not say which file it has opened");
        }

        var map = (delegate* unmanaged[Cdecl]<void*, int, int, int, void**, int>)(*file)[SharedMapMethod];
        if (map(file, 0, RegionBytes, 0, &region) != 0 || region is null)
            throw new JournalException("SQLite has no index of its write-ahead log");
        _header = (byte*)region;
    }

    /// <summary>The end of the log.</summary>
    public LogPosition Position => new(
        BinaryPrimitives.ReadUInt64BigEndian(new ReadOnlySpan<byte>(_header + SaltsAt, 8)),
        *(uint*)(_header + FramesAt),
        ((ulong)*(uint*)(_header + SumAt) << 32) | *(uint*)(_header + SumAt + 4));

    /// <summary>The last frame that has been flushed and copied into the database.</summary>
    public uint Checkpointed => *(uint*)(_header + CheckpointedAt);

    [LibraryImport(Library)]
    private static partial int sqlite3_file_control(nint connection, byte* name, int operation, void* argument);
}

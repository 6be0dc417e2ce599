using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// Where the write-ahead log of an open connection ends, as SQLite's index of it says (sqlite.org/walformat.html, "WAL-Index Header"). It is shared memory that
/// SQLite has mapped already, and costs no call to read. Only the one who writes may look, between two transactions.
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

    /// <summary>Finds it. The connection has read or written something, so that there is one.</summary>
    public WriteAheadIndex(SqliteConnection connection)
    {
        // struct sqlite3_file { const sqlite3_io_methods *pMethods; … }: a version, then functions in a documented order.
        nint** file = null;
        void* region = null;
        fixed (byte* name = "main\0"u8)
        {
            if (sqlite3_file_control(connection.Handle!.DangerousGetHandle(), name, FilePointer, &file) != 0 || file is null || *file is null)
                throw new JournalException("SQLite does not say which file it has opened");
        }

        var map = (delegate* unmanaged[Cdecl]<void*, int, int, int, void**, int>)(*file)[SharedMapMethod];
        if (map(file, 0, RegionBytes, 0, &region) != 0 || region is null)
            throw new JournalException("SQLite has no index of its write-ahead log");
        _header = (byte*)region;
    }

    /// <summary>Where the log ends.</summary>
    public LogPosition Position => new(
        BinaryPrimitives.ReadUInt64BigEndian(new ReadOnlySpan<byte>(_header + SaltsAt, 8)),
        *(uint*)(_header + FramesAt),
        ((ulong)*(uint*)(_header + SumAt) << 32) | *(uint*)(_header + SumAt + 4));

    /// <summary>Up to which frame the log has been flushed and copied into the database.</summary>
    public uint Checkpointed => *(uint*)(_header + CheckpointedAt);

    [LibraryImport(Library)]
    private static partial int sqlite3_file_control(nint connection, byte* name, int operation, void* argument);
}

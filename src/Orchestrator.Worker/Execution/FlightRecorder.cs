using System.IO.MemoryMappedFiles;

namespace Orchestrator.Worker.Execution;

/// <summary>
/// The shared file of one byte per assignment slot that outlives the worker: it shows the coordinator which of a dead worker's attempts had
/// started, so that at-most-once is exact. A mark is one store into shared memory.
/// </summary>
internal sealed unsafe class FlightRecorder : IDisposable
{
    /// <summary>Assigned, not started; written by the coordinator.</summary>
    public const byte Assigned = 0;

    /// <summary>User code may have run.</summary>
    public const byte Started = 1;

    /// <summary>User code has ended.</summary>
    public const byte Ended = 2;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _bytes;
    private int _disposed;

    private FlightRecorder(MemoryMappedFile file, MemoryMappedViewAccessor view, long slots)
    {
        _file = file;
        _view = view;
        Slots = slots;
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _bytes = start + view.PointerOffset;
    }

    /// <summary>How many slots the file has.</summary>
    public long Slots { get; }

    /// <summary>Maps a file that the coordinator has created.</summary>
    public static FlightRecorder Open(string path)
    {
        var length = new FileInfo(path).Length;
        var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, length, MemoryMappedFileAccess.ReadWrite);
        try
        {
            return new FlightRecorder(file, file.CreateViewAccessor(0, length), length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a slot's byte; false if there is no such slot.</summary>
    public bool Mark(uint slot, byte value)
    {
        if (slot >= Slots)
            return false;
        // Volatile, so that neither user code nor the sending of the result is reordered across it. The page belongs to the kernel: the
        // reader sees it even if this process is killed in the next instant.
        Volatile.Write(ref _bytes[slot], value);
        return true;
    }

    /// <summary>Releases the file; nothing may be marked any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}

using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Dispatch;

/// <summary>
/// The coordinator's side of a worker's flight recorder: a small shared file, one byte per slot, that outlives the worker
/// (<c>worker.proto</c>). An attempt whose byte is still 0 when the worker dies provably never started. The file's blocks are reserved
/// before it is mapped: a store to a page that the file system cannot back ends the process by SIGBUS, coordinator and worker alike.
/// </summary>
internal sealed unsafe class FlightRecorderFile : IDisposable
{
    /// <summary>
    /// Size in bytes, and so the maximum number of attempts that a worker may hold: all its IO slots, its prefetch window and its threads.
    /// </summary>
    public const int Slots = 16_384;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _bytes;
    private int _disposed;

    /// <exception cref="IOException">The file cannot be created, or the file system has no room for it; the message says which.</exception>
    public FlightRecorderFile(string path)
    {
        Path = path;
        using var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        try
        {
            Reserve(stream.SafeFileHandle, path);
            _file = MemoryMappedFile.CreateFromFile(
                stream, null, Slots, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
            _view = _file.CreateViewAccessor(0, Slots);
        }
        catch
        {
            _file?.Dispose();
            File.Delete(path);
            throw;
        }

        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        _bytes = pointer + _view.PointerOffset;
    }

    public string Path { get; }

    public void Clear(int slot) => Volatile.Write(ref _bytes[slot], 0);

    /// <summary>A snapshot of all bytes; after the worker's death, its final state.</summary>
    public byte[] Snapshot() => new ReadOnlySpan<byte>(_bytes, Slots).ToArray();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        try
        {
            File.Delete(Path);
        }
        catch (IOException)
        {
            // Another process has removed the directory; there is nothing left to delete.
        }
    }

    /// <summary>Sets the file's length and reserves a file-system block for each of its pages.</summary>
    private static void Reserve(SafeFileHandle file, string path)
    {
        int error;
        do
            error = NativeMethods.posix_fallocate(file, 0, Slots);
        while (error == NativeMethods.Interrupted);
        if (error != 0)
            throw new IOException($"cannot reserve {Slots} bytes for {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }
}

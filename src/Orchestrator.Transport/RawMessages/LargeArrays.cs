using System.Runtime.CompilerServices;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// Arrays for large payloads, which live for one task. The garbage collector gives the end of the heap for large objects back to the system
/// at each collection, and takes it again, page by page, for the next arrays: this costs several times what the payload itself does. So
/// some room is kept between the beginning of that heap and an object that stays: what is freed there is used again as it is.
/// </summary>
internal static class LargeArrays
{
    // A few payloads of a megabyte, in both directions.
    private const int RoomBytes = 24 * 1024 * 1024;

    // The runtime's default threshold for large objects is 85,000.
    private const int StayingBytes = 100_000;

    // Where a program has its large objects compacted at every collection, there is no point in going on.
    private const int MostRooms = 20;

    private static readonly Lock Gate = new();
    private static byte[]? s_staying;
    private static nint s_place;
    private static int s_rooms;

    /// <summary>An array with any content.</summary>
    public static byte[] Allocate(int bytes)
    {
        if (bytes >= StayingBytes)
            KeepRoom();
        return GC.AllocateUninitializedArray<byte>(bytes);
    }

    /// <summary>Makes the room, unless it is there.</summary>
    public static void KeepRoom()
    {
        // A compacting collection, which returns the memory of an idle process, moves the object to the beginning.
        if (s_staying is { } staying && PlaceOf(staying) == Volatile.Read(ref s_place))
            return;
        if (Volatile.Read(ref s_rooms) >= MostRooms)
            return;
        lock (Gate)
        {
            s_rooms++;
            var room = GC.AllocateUninitializedArray<byte>(RoomBytes);
            s_staying = GC.AllocateUninitializedArray<byte>(StayingBytes);
            // The second allocation may cause a collection, which must not free the room before the other is behind it.
            GC.KeepAlive(room);
            Volatile.Write(ref s_place, PlaceOf(s_staying));
        }
    }

    private static unsafe nint PlaceOf(byte[] array) => (nint)Unsafe.AsPointer(ref array[0]);
}

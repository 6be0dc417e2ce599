using System.Buffers;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// An array that grows by doubling. Beyond the size that is kept it is borrowed from the shared pool: a new array of a megabyte costs more
/// than the copy of its content, as the kernel and the runtime both clear it.
/// </summary>
/// <param name="first">The size of the first array, in bytes.</param>
/// <param name="kept">The largest array that is kept, in bytes.</param>
/// <remarks>Mutable: a field that is not read-only.</remarks>
internal struct GrowingArray(int first, int kept)
{
    private byte[] _usual = [];

    /// <summary>The array, until the next call of any other member.</summary>
    public byte[] Bytes { get; private set; } = [];

    /// <summary>Makes room for <paramref name="count"/> bytes behind the first <paramref name="used"/>, which are kept.</summary>
    public void Reserve(int used, int count)
    {
        if (Bytes.Length - used < count || Bytes.Length == 0)
            Grow(used, count);
    }

    /// <summary>Returns a borrowed array; the content is lost.</summary>
    public void Trim()
    {
        if (Bytes == _usual)
            return;
        ArrayPool<byte>.Shared.Return(Bytes);
        Bytes = _usual;
    }

    private void Grow(int used, int count)
    {
        var old = Bytes;
        var isBorrowed = old != _usual;
        var wanted = Math.Max(Math.Max(first, checked(used + count)), (int)Math.Min(2L * old.Length, Array.MaxLength));
        Bytes = wanted <= kept ? _usual = GC.AllocateUninitializedArray<byte>(wanted) : ArrayPool<byte>.Shared.Rent(wanted);
        old.AsSpan(0, Math.Min(used, old.Length)).CopyTo(Bytes);
        if (isBorrowed)
            ArrayPool<byte>.Shared.Return(old);
    }
}

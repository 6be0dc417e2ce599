namespace Orchestrator.Transport.RawMessages;

/// <summary><c>google.protobuf.Duration</c> as a value.</summary>
internal readonly record struct RawDuration(long Seconds, int Nanos)
{
    internal const int SizeAtMost = 3 * FieldWriter.SizeOfNumber;

    /// <summary>From nanoseconds; a negative number counts as zero.</summary>
    public static RawDuration FromNanoseconds(long nanoseconds)
    {
        var (seconds, rest) = Math.DivRem(Math.Max(nanoseconds, 0), 1_000_000_000);
        return new RawDuration(seconds, (int)rest);
    }

    internal static RawDuration Read(ReadOnlySpan<byte> bytes, RawDuration? known)
    {
        var (seconds, nanos) = known.GetValueOrDefault();
        var reader = new FieldReader(bytes);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag == 1 << 3)
                seconds = (long)reader.ReadVarint();
            else if (tag == 2 << 3)
                nanos = (int)reader.ReadVarint();
            else
                reader.Skip(tag);
        }

        return new RawDuration(seconds, nanos);
    }

    internal void WriteTo(int field, ref FieldWriter writer)
    {
        var begin = writer.BeginShort(field);
        writer.Write(1, (ulong)Seconds);
        writer.Write(2, Nanos);
        writer.EndShort(begin);
    }
}

using System.Buffers.Binary;
using System.Diagnostics;
using Google.Protobuf;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>
/// Payloads that begin with their send time. The stopwatch reads the machine's monotonic clock, which all processes share, so latency can
/// be measured from one process to another.
/// </summary>
internal static class Stamped
{
    public const int LeastBytes = sizeof(long);

    /// <summary>A new payload with the current time.</summary>
    public static Payload Create(int size) => Over(new byte[Math.Max(size, LeastBytes)]);

    /// <summary>A payload with the current time over a shared buffer; it must be sent before the buffer is reused.</summary>
    public static Payload Over(byte[] buffer)
    {
        BinaryPrimitives.WriteInt64LittleEndian(buffer, Stopwatch.GetTimestamp());
        return new Payload { Data = UnsafeByteOperations.UnsafeWrap(buffer) };
    }

    public static long Read(Payload payload) => BinaryPrimitives.ReadInt64LittleEndian(payload.Data.Span);
}

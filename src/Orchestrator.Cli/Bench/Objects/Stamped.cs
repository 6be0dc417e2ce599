using System.Buffers.Binary;
using System.Diagnostics;
using Google.Protobuf;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>
/// Payloads that begin with the instant of their sending. The stopwatch reads the machine's monotonic clock, which is one for all processes, so a
/// latency can be measured from one process to another.
/// </summary>
internal static class Stamped
{
    public const int LeastBytes = sizeof(long);

    /// <summary>A payload of its own, with the time now.</summary>
    public static Payload Create(int size) => Over(new byte[Math.Max(size, LeastBytes)]);

    /// <summary>A payload over a buffer that is written before the buffer is used again, with the time now.</summary>
    public static Payload Over(byte[] buffer)
    {
        BinaryPrimitives.WriteInt64LittleEndian(buffer, Stopwatch.GetTimestamp());
        return new Payload { Data = UnsafeByteOperations.UnsafeWrap(buffer) };
    }

    public static long Read(Payload payload) => BinaryPrimitives.ReadInt64LittleEndian(payload.Data.Span);
}

using Google.Protobuf;
using Orchestrator.V1;

namespace Orchestrator.Transport.RawMessages;

/// <summary><c>orchestrator.worker.v1.AttemptResult</c>, with its payload as the bytes that arrived.</summary>
internal record struct RawAttemptResult : IWireItem
{
    /// <summary>The field of <c>ExecuteResponse</c> that holds these.</summary>
    public const int Field = 2;

    /// <summary>The task.</summary>
    public ulong TaskId { get; set; }

    /// <summary>Its attempt.</summary>
    public int Attempt { get; set; }

    /// <summary>An encoded <c>orchestrator.v1.Payload</c>; empty if it failed.</summary>
    public ByteString Output { readonly get => field ?? ByteString.Empty; set; }

    /// <summary>Why it failed.</summary>
    public TaskError? Error { get; set; }

    /// <summary>How long it ran.</summary>
    public RawDuration? Run { get; set; }

    /// <summary>Processor time, where measured.</summary>
    public RawDuration? CpuTime { get; set; }

    /// <summary>Allocations, where measured.</summary>
    public ulong AllocatedBytes { get; set; }

    /// <summary>Nanoseconds of the machine's monotonic clock when it ended, where measured.</summary>
    public ulong EndedAt { get; set; }

    /// <inheritdoc/>
    public readonly int SizeAtMost =>
        (5 * FieldWriter.SizeOfNumber) + FieldWriter.SizeOf(Output)
        + (Error is null ? 0 : FieldWriter.SizeOfNumber + Error.CalculateSize())
        + (Run is null ? 0 : RawDuration.SizeAtMost)
        + (CpuTime is null ? 0 : RawDuration.SizeAtMost);

    /// <summary>Reads one.</summary>
    public static RawAttemptResult Read(ReceivedBytes bytes)
    {
        var result = default(RawAttemptResult);
        var reader = new FieldReader(bytes);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3:
                    result.TaskId = reader.ReadVarint();
                    break;
                case 2 << 3:
                    result.Attempt = (int)reader.ReadVarint();
                    break;
                case (3 << 3) | 2:
                    result.Output = reader.ReadByteString();
                    break;
                case (4 << 3) | 2:
                    result.Error = reader.ReadMessage(result.Error);
                    break;
                case (5 << 3) | 2:
                    result.Run = RawDuration.Read(reader.ReadBytes(), result.Run);
                    break;
                case (6 << 3) | 2:
                    result.CpuTime = RawDuration.Read(reader.ReadBytes(), result.CpuTime);
                    break;
                case 7 << 3:
                    result.AllocatedBytes = reader.ReadVarint();
                    break;
                case 8 << 3:
                    result.EndedAt = reader.ReadVarint();
                    break;
                default:
                    reader.Skip(tag);
                    break;
            }
        }

        return result;
    }

    /// <inheritdoc/>
    public readonly void WriteTo(ref FieldWriter writer)
    {
        writer.Write(1, TaskId);
        writer.Write(2, Attempt);
        writer.Write(3, Output);
        writer.Write(4, Error);
        Run?.WriteTo(5, ref writer);
        CpuTime?.WriteTo(6, ref writer);
        writer.Write(7, AllocatedBytes);
        writer.Write(8, EndedAt);
    }
}

using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Orchestrator.Transport.RawMessages;

/// <summary><c>orchestrator.worker.v1.Assignment</c>, with its payload as the bytes that arrived.</summary>
internal record struct RawAssignment : IWireItem
{
    /// <summary>The field of <c>ExecuteRequest</c> that holds these.</summary>
    public const int Field = 1;

    /// <summary>The task.</summary>
    public ulong TaskId { get; set; }

    /// <summary>Its attempt.</summary>
    public int Attempt { get; set; }

    /// <summary>The handler's name.</summary>
    public string Handler { readonly get => field ?? ""; set; }

    /// <summary>An encoded <c>orchestrator.v1.Payload</c>.</summary>
    public ByteString Input { readonly get => field ?? ByteString.Empty; set; }

    /// <summary>How long it may run.</summary>
    public Duration? RunTimeout { get; set; }

    /// <summary>The session that owns what it acquires.</summary>
    public string SessionId { readonly get => field ?? ""; set; }

    /// <summary>W3C trace context.</summary>
    public string Traceparent { readonly get => field ?? ""; set; }

    /// <summary>Its byte of the flight recorder.</summary>
    public uint Slot { get; set; }

    /// <summary>Whether processor time and allocations are to be measured.</summary>
    public bool Timing { get; set; }

    /// <inheritdoc/>
    public readonly int SizeAtMost =>
        (6 * FieldWriter.SizeOfNumber) + FieldWriter.SizeOf(Input) + (3 * Handler.Length)
        + (SessionId.Length == 0 ? 0 : FieldWriter.SizeOf(SessionId))
        + (Traceparent.Length == 0 ? 0 : FieldWriter.SizeOf(Traceparent))
        + (RunTimeout is null ? 0 : FieldWriter.SizeOfNumber + RunTimeout.CalculateSize());

    /// <summary>Reads one.</summary>
    public static RawAssignment Read(ReceivedBytes bytes, NameTable handlers)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        var result = default(RawAssignment);
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
                    result.Handler = handlers.Get(reader.ReadBytes());
                    break;
                case (4 << 3) | 2:
                    result.Input = reader.ReadByteString();
                    break;
                case (5 << 3) | 2:
                    result.RunTimeout = reader.ReadMessage(result.RunTimeout);
                    break;
                case (6 << 3) | 2:
                    result.SessionId = reader.ReadString();
                    break;
                case (7 << 3) | 2:
                    result.Traceparent = reader.ReadString();
                    break;
                case 8 << 3:
                    result.Slot = (uint)reader.ReadVarint();
                    break;
                case 9 << 3:
                    result.Timing = reader.ReadVarint() != 0;
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
        writer.Write(3, Handler);
        writer.Write(4, Input);
        writer.Write(5, RunTimeout);
        writer.Write(6, SessionId);
        writer.Write(7, Traceparent);
        writer.Write(8, (ulong)Slot);
        writer.Write(9, Timing ? 1 : 0);
    }
}

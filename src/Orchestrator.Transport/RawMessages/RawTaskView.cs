namespace Orchestrator.Transport.RawMessages;

/// <summary>An <c>orchestrator.v1.TaskSpec</c> in place within a received message; to be read before that message is released.</summary>
internal readonly ref struct RawTaskView
{
    /// <summary>The field of <c>StreamTasksRequest</c> that holds these.</summary>
    public const int Field = 2;

    private RawTaskView(
        ReadOnlySpan<byte> handler, ReceivedBytes input, ReadOnlySpan<byte> options, ulong tag, ReadOnlySpan<byte> requestId,
        ReadOnlySpan<byte> traceparent)
    {
        Handler = handler;
        Input = input;
        Options = options;
        Tag = tag;
        RequestId = requestId;
        Traceparent = traceparent;
    }

    /// <summary>The handler's name, in UTF-8.</summary>
    public ReadOnlySpan<byte> Handler { get; }

    /// <summary>An encoded <c>orchestrator.v1.Payload</c>.</summary>
    public ReceivedBytes Input { get; }

    /// <summary>Encoded <c>orchestrator.v1.TaskOptions</c>.</summary>
    public ReadOnlySpan<byte> Options { get; }

    /// <summary>Chosen by the submitter.</summary>
    public ulong Tag { get; }

    /// <summary>Idempotency key, in UTF-8.</summary>
    public ReadOnlySpan<byte> RequestId { get; }

    /// <summary>W3C trace context, in UTF-8.</summary>
    public ReadOnlySpan<byte> Traceparent { get; }

    /// <summary>Reads one.</summary>
    public static RawTaskView Read(ReceivedBytes bytes)
    {
        ReadOnlySpan<byte> handler = default, options = default, requestId = default, traceparent = default;
        var input = default(ReceivedBytes);
        var tagOfTask = 0ul;
        var reader = new FieldReader(bytes);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case (1 << 3) | 2:
                    handler = reader.ReadUtf8();
                    break;
                case (2 << 3) | 2:
                    input = reader.ReadReceived();
                    break;
                case (3 << 3) | 2:
                    options = reader.ReadBytes();
                    break;
                case 4 << 3:
                    tagOfTask = reader.ReadVarint();
                    break;
                case (5 << 3) | 2:
                    requestId = reader.ReadUtf8();
                    break;
                case (6 << 3) | 2:
                    traceparent = reader.ReadUtf8();
                    break;
                default:
                    reader.Skip(tag);
                    break;
            }
        }

        return new RawTaskView(handler, input, options, tagOfTask, requestId, traceparent);
    }
}

using Google.Protobuf;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>What a client says when it opens a call.</summary>
/// <param name="Method">Such as <c>/orchestrator.v1.TaskService/RunTask</c>.</param>
/// <param name="Authorization">The credential; null for none.</param>
/// <param name="Timeout">After which the call ends; null for never.</param>
/// <param name="TraceParent">Its W3C trace context; may be empty.</param>
internal readonly record struct LocalCallHead(string Method, string? Authorization, TimeSpan? Timeout, string TraceParent)
{
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(49);

    /// <summary>Reads it.</summary>
    /// <exception cref="InvalidProtocolBufferException">It cannot be read.</exception>
    public static LocalCallHead Read(ReadOnlySpan<byte> content)
    {
        var call = Local.V1.LocalCall.Parser.ParseFrom(content);
        TimeSpan? timeout = null;
        if (call.Timeout is { } given)
        {
            // Beyond the longest timer means never, as with gRPC.
            var seconds = Math.Clamp(given.Seconds, 0, (long)LongestTimeout.TotalSeconds);
            timeout = seconds == (long)LongestTimeout.TotalSeconds
                ? null : TimeSpan.FromSeconds(seconds) + TimeSpan.FromTicks(Math.Clamp(given.Nanos, 0, 999_999_999) / 100);
        }

        return new LocalCallHead(call.Method, call.Authorization.Length == 0 ? null : call.Authorization, timeout, call.Traceparent);
    }
}

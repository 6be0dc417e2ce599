using Microsoft.Extensions.Logging.Abstractions;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>Events that a client causes at will, and that must not fill the log: the client gets an error.</summary>
internal static class ClientNoise
{
    private const string UnreadableMessage = "ErrorReadingMessage";
    private const string FailedCall = "ErrorExecutingServiceMethod";
    private const string RequestReader = "Grpc.AspNetCore.Server.Internal.PipeExtensions";

    /// <summary>Whether an event is one.</summary>
    public static bool Is<TState>(in LogEntry<TState> entry) =>
        entry.EventId.Name == UnreadableMessage || (entry.EventId.Name == FailedCall && IsEndOfRequest(entry.Exception));

    // A client that cancels its call makes the read of the request fail. The server may see the call as cancelled only a moment later.
    private static bool IsEndOfRequest(Exception? exception) =>
        exception is IOException { StackTrace: { } stack } && stack.Contains(RequestReader, StringComparison.Ordinal);
}

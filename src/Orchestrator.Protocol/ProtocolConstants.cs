namespace Orchestrator.Protocol;

/// <summary>Names and limits that both sides of the wire agree on.</summary>
public static class ProtocolConstants
{
    /// <summary>The domain of every <c>google.rpc.ErrorInfo</c> that this product sends.</summary>
    public const string ErrorDomain = "orchestrator";

    /// <summary>The header that carries the credential: <c>authorization: Bearer TOKEN</c>.</summary>
    public const string AuthorizationHeader = "authorization";

    /// <summary>The metadata key of a call's W3C trace context.</summary>
    public const string TraceParentHeader = "traceparent";

    /// <summary>The prefix of the token in <see cref="AuthorizationHeader"/>.</summary>
    public const string BearerPrefix = "Bearer ";

    /// <summary>Begins the id of a task attempt's session: <c>task-</c>, the task's id, <c>-</c>, the attempt.</summary>
    public const string TaskSessionPrefix = "task-";

    /// <summary>The file under the data directory that holds the coordinator's token (mode 0600).</summary>
    public const string TokenFileName = "token";

    /// <summary>The file under the data directory that names the addresses and the pid of a running coordinator.</summary>
    public const string EndpointFileName = "endpoint.json";

    /// <summary>The environment variable that names the data directory.</summary>
    public const string DataDirectoryVariable = "ORCHESTRATOR_DATA_DIR";

    /// <summary>The largest payload in bytes, unless the coordinator is told otherwise.</summary>
    public const int DefaultPayloadBytes = 64 * 1024 * 1024;

    /// <summary>
    /// The largest payload in bytes that a coordinator may be told to accept. With its envelope it still fits into one row of the journal,
    /// which SQLite limits to 1,000,000,000 bytes.
    /// </summary>
    public const int LargestPayloadBytes = 512 * 1024 * 1024;

    /// <summary>
    /// How many bytes several payloads may have that travel in one message; a single one may be larger. A little below 4 MiB, the message
    /// size that gRPC clients of most languages accept by default.
    /// </summary>
    public const int SharedMessageBytes = 4_000_000;

    /// <summary>The largest message of any coordinator, in bytes: what its clients and workers accept.</summary>
    public static readonly int LargestMessageBytes = MessageBytesFor(LargestPayloadBytes);

    /// <summary>Every coordinator accepts a message of this many bytes, whatever payloads it accepts.</summary>
    public const int EnvelopeBytes = 32 * 1024 * 1024;

    /// <summary>
    /// The longest time of one timer, in whole days: .NET's timers take at most 2^32 - 2 ms. A longer wait rearms its timer, or is excluded
    /// in the contract.
    /// </summary>
    public static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    /// <summary>
    /// The largest message, in bytes, of a coordinator that accepts payloads of at most <paramref name="payloadBytes"/>: so large that a
    /// payload beyond that is refused individually, with an error that names it, and not with its whole stream.
    /// </summary>
    public static int MessageBytesFor(int payloadBytes) => (2 * payloadBytes) + EnvelopeBytes;

    /// <summary>A stream's writer takes at most this many items into one message.</summary>
    public const int MaxItemsPerMessage = 512;

    /// <summary>A stream's writer closes a message once it holds this many bytes.</summary>
    public const int TargetMessageBytes = 64 * 1024;

    /// <summary>
    /// The default data directory of a coordinator: an absolute path, or empty if this user's home is unknown (no HOME, and no user entry
    /// with a home).
    /// </summary>
    public static string DefaultDataDirectory()
    {
        var named = Environment.GetEnvironmentVariable(DataDirectoryVariable);
        if (!string.IsNullOrEmpty(named))
            return Path.GetFullPath(named);
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        // Its specification says that a relative path is to be ignored.
        if (!Path.IsPathRooted(state))
        {
            // Whether or not it exists: an error shows where it is used.
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            // The framework's fallback is shared by all users.
            if (!Path.IsPathRooted(home)
                || Path.TrimEndingDirectorySeparator(home) == Path.TrimEndingDirectorySeparator(Path.GetTempPath()))
                return "";
            state = Path.Combine(home, ".local", "state");
        }

        return Path.Combine(state, "orchestrator");
    }
}

namespace Orchestrator.Handlers.Common;

/// <summary>The permissions of the stock handlers. Any access beyond a task's own input is off by default.</summary>
public sealed class StockHandlerOptions
{
    /// <summary>
    /// Registers handlers that crash, hang and exhaust their worker on purpose, for tests and demonstrations.
    /// </summary>
    public bool AllowChaos { get; set; }

    /// <summary>The directories that <c>read_file</c> and <c>sql_query</c> may read below, symbolic links resolved. Empty: none.</summary>
    public IList<string> AllowedDirectories { get; } = [];

    /// <summary>
    /// Directories that are never read, even below an allowed directory: such as the coordinator's data directory with its
    /// tokens.
    /// </summary>
    public IList<string> DeniedDirectories { get; } = [];

    /// <summary>
    /// The URLs that <c>http_get</c> may fetch: scheme, host and port must be equal, and the path must be the prefix's or lie below it.
    /// Redirects must stay inside too. Empty: none.
    /// </summary>
    public IList<string> AllowedUrlPrefixes { get; } = [];
}

using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Protocol;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// The currently valid tokens: those of the data directory, kept in sync with its files, and one for each living worker. Memory holds only
/// their hashes.
/// </summary>
internal sealed partial class TokenStore : IDisposable
{
    // How long a revoked token may still be accepted; a new one is accepted at once.
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly TokenFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger<TokenStore> _logger;
    private readonly ConcurrentDictionary<TokenDigest, Principal> _workers = new();
    private readonly Lock _gate = new();
    private readonly PeriodicCheck _timer;
    private FrozenDictionary<TokenDigest, Principal> _clients = FrozenDictionary<TokenDigest, Principal>.Empty;
    private (DateTime Owner, DateTime Others, DateTime Source) _stamp;
    private long _version;

    /// <summary>Reads the tokens of the data directory, or creates the owner's at the first start.</summary>
    /// <param name="dataDirectory">The data directory.</param>
    /// <param name="ownerSource">A file that gives the owner's token; null if it is made.</param>
    /// <param name="time">For expiry.</param>
    /// <param name="logger">For files that cannot be read.</param>
    /// <exception cref="IOException">A file cannot be used; the message says which.</exception>
    public TokenStore(string dataDirectory, string? ownerSource, TimeProvider time, ILogger<TokenStore> logger)
    {
        _files = new TokenFiles(dataDirectory, time) { OwnerSource = ownerSource };
        _time = time;
        Pages = new PageSessions(time, new PageSessionFile(dataDirectory, logger));
        _logger = logger;
        foreach (var warning in _files.Check())
            LogLoose(warning);
        _files.EnsureOwner();
        Load();
        var known = _files.List();
        Pages.Restore(id => known.FirstOrDefault(entry => entry.Id == id)?.Created);
        _timer = new PeriodicCheck(time, CheckInterval, () => Refresh(), logger);
    }

    /// <summary>The path of the owner's token.</summary>
    public string Path => _files.OwnerPath;

    /// <summary>Increases whenever a credential may have ended.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Raised with the client's name when the client's token is removed.</summary>
    public event Action<string>? Revoked;

    /// <summary>Creates a token for one worker process; it gives its handlers access to the object services only.</summary>
    public string IssueForWorker(WorkerIdentity worker)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        _workers.TryAdd(
            TokenDigest.Of(token)!.Value, new Principal($"worker #{worker.Incarnation}", Role.Submit) { Worker = worker, IsShared = true });
        return token;
    }

    /// <summary>Revokes the token of a worker that has ended.</summary>
    public void Revoke(string token)
    {
        _workers.TryRemove(TokenDigest.Of(token)!.Value, out _);
        Interlocked.Increment(ref _version);
    }

    /// <summary>
    /// The principal of a credential in the authorization header; it may have expired. Null if the credential is absent or wrong.
    /// </summary>
    public Principal? Identify(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(ProtocolConstants.BearerPrefix, StringComparison.OrdinalIgnoreCase))
            return null;
        if (TokenDigest.Of(authorization.AsSpan(ProtocolConstants.BearerPrefix.Length).Trim()) is not { } digest)
            return null;
        if (Find(digest) is { } known)
            return known;
        if (Pages.Find(digest) is var (browser, end))
            return CurrentOf(browser) is { } current ? current with { Expires = current.Expires < end ? current.Expires : end } : null;
        // The token may have been created a moment ago; another call may just have read it.
        Refresh();
        return Find(digest);
    }

    /// <summary>The coordinator's owner.</summary>
    public Principal Owner => _clients.Values.First(client => client.IsOwner);

    /// <summary>The browsers that are logged in.</summary>
    public PageSessions Pages { get; }

    /// <summary>Ends the session of a browser.</summary>
    public void LogOut(string secret)
    {
        Pages.End(secret);
        Interlocked.Increment(ref _version);
    }

    /// <summary>Whether the credential has expired.</summary>
    public bool HasExpired(Principal caller) => caller.Expires is { } end && end <= _time.GetUtcNow();

    public void Dispose() => _timer.Dispose();

    /// <summary>
    /// The caller as its token stands now; null if that is revoked. One without a token is known by its certificate, or needs none.
    /// </summary>
    private Principal? CurrentOf(Principal caller) =>
        caller.IsFromToken ? _clients.Values.FirstOrDefault(client => client.Name == caller.Name) : caller;

    private Principal? Find(TokenDigest digest) =>
        _clients.TryGetValue(digest, out var client) ? client : _workers.GetValueOrDefault(digest);

    /// <summary>Applies changes on disk; returns whether there were any.</summary>
    public bool Refresh()
    {
        var before = _clients;
        lock (_gate)
        {
            if (_files.Stamp() == _stamp)
                return false;
            try
            {
                Load();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Keep the previous tokens rather than none: the operator needs one to repair the files.
                LogNotRead(exception.Message);
                return false;
            }
        }

        foreach (var name in before.Values.Select(client => client.Name).Except(_clients.Values.Select(client => client.Name)))
        {
            Pages.EndOf(name);
            Revoked?.Invoke(name);
        }

        return true;
    }

    private void Load()
    {
        // The stamp is read first: files that change during the read are read again.
        var stamp = _files.Stamp();
        _files.TakeOwnerFromSource();
        _stamp = stamp with { Owner = _files.Stamp().Owner };
        _clients = _files.List().DistinctBy(entry => entry.Sha256).ToFrozenDictionary(
            entry => TokenDigest.Parse(entry.Sha256)!.Value,
            entry => new Principal(entry.Id, entry.Role)
            {
                Expires = entry.Expires,
                IsFromToken = true,
                IsShared = TokenFiles.IsOwners(entry.Id),
                IsOwner = TokenFiles.IsOwners(entry.Id)
            });
        Interlocked.Increment(ref _version);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private partial void LogLoose(string warning);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the tokens could not be read again; the previous tokens stay valid: {Cause}")]
    private partial void LogNotRead(string cause);
}

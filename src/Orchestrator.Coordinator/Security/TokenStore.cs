using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Contracts;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// The tokens that are valid now: those of the data directory, kept up to date with its files, and one for each living worker. Memory holds their hashes only.
/// </summary>
internal sealed partial class TokenStore : IDisposable
{
    // How long a revoked token may still be taken; a new one is taken at once.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly TokenFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger<TokenStore> _logger;
    private readonly ConcurrentDictionary<TokenDigest, Principal> _workers = new();
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private FrozenDictionary<TokenDigest, Principal> _clients = FrozenDictionary<TokenDigest, Principal>.Empty;
    private (DateTime, DateTime) _stamp;
    private long _version;

    /// <summary>Reads the tokens of the data directory, or makes the owner's at the first start.</summary>
    public TokenStore(string dataDirectory, TimeProvider time, ILogger<TokenStore> logger)
    {
        _files = new TokenFiles(dataDirectory, time);
        _time = time;
        _logger = logger;
        foreach (var warning in _files.Check())
            LogLoose(warning);
        _files.EnsureOwner();
        Load();
        _timer = time.CreateTimer(_ => Refresh(), null, LookEvery, LookEvery);
    }

    /// <summary>Where the owner's token lies.</summary>
    public string Path => _files.OwnerPath;

    /// <summary>Grows whenever a credential may have ended.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>A client's token is there no more; with the client's name.</summary>
    public event Action<string>? Revoked;

    /// <summary>Makes a token for one worker process, by which its handlers reach the object services and nothing else.</summary>
    public string IssueForWorker(WorkerIdentity worker)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        _workers.TryAdd(TokenDigest.Of(token)!.Value, new Principal($"worker #{worker.Incarnation}", Role.Submit) { Worker = worker, IsShared = true });
        return token;
    }

    /// <summary>The worker has ended, and its token with it.</summary>
    public void Revoke(string token)
    {
        _workers.TryRemove(TokenDigest.Of(token)!.Value, out _);
        Interlocked.Increment(ref _version);
    }

    /// <summary>Whose credential this is, as sent in the authorization header; it may have expired. Null for none and for a wrong one.</summary>
    public Principal? Identify(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(ProtocolConstants.BearerPrefix, StringComparison.OrdinalIgnoreCase))
            return null;
        if (TokenDigest.Of(authorization.AsSpan(ProtocolConstants.BearerPrefix.Length).Trim()) is not { } digest)
            return null;
        if (Find(digest) is { } known)
            return known;
        // It may have been made a moment ago; another call may have just read it.
        Refresh();
        return Find(digest);
    }

    /// <summary>Whether the credential has ended by time.</summary>
    public bool HasExpired(Principal caller) => caller.Expires is { } end && end <= _time.GetUtcNow();

    public void Dispose() => _timer.Dispose();

    private Principal? Find(TokenDigest digest) => _clients.TryGetValue(digest, out var client) ? client : _workers.GetValueOrDefault(digest);

    /// <summary>Takes over what has changed on disk; whether something had.</summary>
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
                // Better the tokens of before than none: whoever would mend it needs one.
                LogNotRead(exception.Message);
                return false;
            }
        }

        foreach (var name in before.Values.Select(client => client.Name).Except(_clients.Values.Select(client => client.Name)))
            Revoked?.Invoke(name);
        return true;
    }

    private void Load()
    {
        // The stamp first: what changes while reading is read again.
        _stamp = _files.Stamp();
        _clients = _files.List().DistinctBy(entry => entry.Sha256).ToFrozenDictionary(
            entry => TokenDigest.Parse(entry.Sha256)!.Value,
            entry => new Principal(entry.Id, entry.Role) { Expires = entry.Expires, IsShared = TokenFiles.IsOwners(entry.Id), IsOwner = TokenFiles.IsOwners(entry.Id) });
        Interlocked.Increment(ref _version);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private partial void LogLoose(string warning);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the tokens could not be read again, those of before stay valid: {Cause}")]
    private partial void LogNotRead(string cause);
}

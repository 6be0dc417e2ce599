using System.Buffers.Text;
using System.Security.Cryptography;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// The browsers that are logged in to the page: each has a secret of its own in place of a token, with the rights of the credential that it
/// logged in with, and no longer than that one. Only hashes of secrets are kept. Thread-safe.
/// </summary>
/// <param name="time">For their ends.</param>
/// <param name="file">Keeps the sessions of tokens over a restart; null for none.</param>
internal sealed class PageSessions(TimeProvider time, PageSessionFile? file = null)
{
    /// <summary>How long a login lasts.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    /// <summary>How long a code can be used.</summary>
    public static readonly TimeSpan CodeLifetime = TimeSpan.FromSeconds(60);

    /// <summary>How long the code can be used that is printed at the start.</summary>
    public static readonly TimeSpan FirstCodeLifetime = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Forever = TimeSpan.FromDays(36_500);

    private const int SecretBytes = 32;
    private const int MaxCodes = 64;
    private const int MaxSessions = 1_024;

    private readonly Lock _gate = new();
    private readonly Dictionary<TokenDigest, Entry> _codes = [];
    private readonly Dictionary<TokenDigest, Entry> _sessions = [];

    /// <summary>Makes a code that can be used once, for a browser of this caller.</summary>
    public string CreateCode(Principal caller, TimeSpan lifetime) => Add(_codes, caller, lifetime, MaxCodes);

    /// <summary>Begins a session of this caller; returns its secret.</summary>
    public string Begin(Principal caller)
    {
        var secret = Add(_sessions, caller, Lifetime, MaxSessions);
        if (caller.IsFromToken)
            Save();
        return secret;
    }

    /// <summary>Begins a session that lasts as long as this process: of a program that decides itself who sees the page.</summary>
    public string BeginForProcess(Principal caller) => Add(_sessions, caller, Forever, MaxSessions);

    /// <summary>The caller that a code was made for; null if it is wrong, was used or is too old.</summary>
    public Principal? TakeCode(string code)
    {
        if (TokenDigest.Of(code) is not { } digest)
            return null;
        lock (_gate)
            return _codes.Remove(digest, out var found) && found.End > time.GetUtcNow() ? found.Caller : null;
    }

    /// <summary>Continues the sessions of the last run.</summary>
    /// <param name="find">Finds the creation time of a token by its id; null if no token has it.</param>
    public void Restore(Func<string, DateTimeOffset?> find)
    {
        foreach (var session in file?.Read() ?? [])
        {
            // The role is that of the token when the session is used.
            if (session.End > time.GetUtcNow() && find(session.Client) <= session.Begun)
            {
                var caller = new Principal(session.Client, Role.Observe) { IsFromToken = true };
                lock (_gate)
                    _sessions.TryAdd(session.Secret, new Entry(caller, session.Begun, session.End));
            }
        }
    }

    /// <summary>Ends the sessions of a token that has ended: a later one of its id is another.</summary>
    public void EndOf(string client)
    {
        lock (_gate)
        {
            var ended = _sessions.Where(item => item.Value.Caller is { IsFromToken: true } caller && caller.Name == client)
                .Select(item => item.Key).ToArray();
            if (ended.Length == 0)
                return;
            foreach (var secret in ended)
                _sessions.Remove(secret);
        }

        Save();
    }

    /// <summary>The caller of a session, and when the session ends; null if there is none.</summary>
    public (Principal Caller, DateTimeOffset End)? Find(TokenDigest secret)
    {
        lock (_gate)
            return _sessions.TryGetValue(secret, out var found) && found.End > time.GetUtcNow() ? (found.Caller, found.End) : null;
    }

    /// <summary>Ends a session.</summary>
    public void End(string secret)
    {
        if (TokenDigest.Of(secret) is not { } digest)
            return;
        lock (_gate)
        {
            if (!_sessions.Remove(digest))
                return;
        }

        Save();
    }

    /// <summary>Those of the process end with it, and those by a certificate with their connection.</summary>
    private void Save()
    {
        if (file is null)
            return;
        lock (_gate)
        {
            file.Write(_sessions.Where(item => item.Value.Caller.IsFromToken && item.Value.End - item.Value.Begun <= Lifetime).Select(
                item => new SavedPageSession(item.Key, item.Value.Caller.Name, item.Value.Begun, item.Value.End)));
        }
    }

    private string Add(Dictionary<TokenDigest, Entry> table, Principal caller, TimeSpan lifetime, int most)
    {
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        lock (_gate)
        {
            var now = time.GetUtcNow();
            foreach (var past in table.Where(item => item.Value.End <= now).Select(item => item.Key).ToArray())
                table.Remove(past);
            // The oldest gives way, so that many new codes cannot keep a later one out.
            if (table.Count >= most)
                table.Remove(table.MinBy(item => item.Value.End).Key);
            table.Add(TokenDigest.Of(secret)!.Value, new Entry(caller, now, now + lifetime));
        }

        return secret;
    }

    private readonly record struct Entry(Principal Caller, DateTimeOffset Begun, DateTimeOffset End);
}

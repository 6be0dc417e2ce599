using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// The tokens of a data directory: <c>token</c>, the owner's, which the command and the SDK find automatically, and <c>tokens.json</c>,
/// which holds only the hashes of all others. A running coordinator applies changes within a second.
/// </summary>
/// <param name="dataDirectory">The data directory, which exists.</param>
/// <param name="time">For expiry.</param>
public sealed class TokenFiles(string dataDirectory, TimeProvider time)
{
    /// <summary>The id of the owner's token.</summary>
    public const string OwnerId = "owner";

    private const string ListName = "tokens.json";
    private const string KeptPrefix = "owner-until-";
    private const int LeastLength = 32;
    private const int MaxLength = 256;

    private readonly string _listPath = Path.Combine(dataDirectory, ListName);

    /// <summary>The path of the owner's token.</summary>
    public string OwnerPath { get; } = Path.Combine(dataDirectory, ProtocolConstants.TokenFileName);

    /// <summary>A file that gives the owner's token, such as a mounted secret; null, the default, if it is made here.</summary>
    internal string? OwnerSource { get; init; }

    /// <summary>All tokens that have not expired, the owner's first.</summary>
    /// <exception cref="IOException">A file cannot be read, or is damaged; the message says which.</exception>
    public IReadOnlyList<TokenEntry> List() => [Owner(), .. Others().Where(entry => !entry.HasExpired(time.GetUtcNow()))];

    /// <summary>Creates a token. Only its hash is stored: the returned text is the only copy.</summary>
    /// <param name="role">What it allows.</param>
    /// <param name="lifetime">The lifetime; null means until revoked.</param>
    /// <param name="name">The readable id; random unless given.</param>
    /// <exception cref="ArgumentException">A token with this name exists.</exception>
    public (TokenEntry Entry, string Token) Create(Role role, TimeSpan? lifetime, string? name = null)
    {
        using var gate = Lock();
        var id = name ?? "t-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        if (IsOwners(id) || Others().Any(entry => entry.Id == id))
            throw new ArgumentException($"there is a token '{id}' already; revoke it first or choose another name");
        var token = NewToken();
        var entry = new TokenEntry(id, role, TokenDigest.Of(token)!.Value.ToString(), time.GetUtcNow(), time.GetUtcNow() + lifetime);
        Write([.. Others(), entry]);
        return (entry, token);
    }

    /// <summary>Replaces the owner's token; the old one stays valid for a while, for clients that still use it.</summary>
    /// <param name="keep">How long the old token stays valid; zero ends it at once.</param>
    public TokenEntry Rotate(TimeSpan keep)
    {
        using var gate = Lock();
        var old = Owner();
        if (keep > TimeSpan.Zero)
        {
            var id = string.Create(
                CultureInfo.InvariantCulture, $"{KeptPrefix}{time.GetUtcNow() + keep:yyyyMMdd'T'HHmmss'Z'}-{old.Sha256[..6]}");
            // Both files change, one after the other: the old token is listed first, so that it is never refused in between.
            Write([.. Others(), old with { Id = id, Expires = time.GetUtcNow() + keep }]);
        }

        OwnerOnlyFile.Write(OwnerPath, NewToken() + "\n");
        return Owner();
    }

    /// <summary>Revokes a token. False if there is none with this id.</summary>
    /// <exception cref="ArgumentException">The token is the owner's, which can only be replaced.</exception>
    public bool Revoke(string id)
    {
        if (id == OwnerId)
            throw new ArgumentException("the owner's token cannot be revoked, only replaced: orchestrator token rotate --keep 0s");
        using var gate = Lock();
        var others = Others();
        var left = others.Where(entry => entry.Id != id).ToArray();
        if (left.Length == others.Count)
            return false;
        Write(left);
        return true;
    }

    /// <summary>Creates the owner's token if there is none yet.</summary>
    public void EnsureOwner()
    {
        using var gate = Lock();
        if (ReadOwner() is null)
            OwnerOnlyFile.Write(OwnerPath, NewToken() + "\n");
        // Copying the file may have loosened its mode. The mode of a mounted secret is root's to set.
        else if (OwnedPath.IsOwn(OwnerPath) && File.GetUnixFileMode(OwnerPath) != OwnerOnlyFile.Mode
            && new FileInfo(OwnerPath).LinkTarget is null)
            File.SetUnixFileMode(OwnerPath, OwnerOnlyFile.Mode);
    }

    /// <summary>
    /// Takes over the owner's token from <see cref="OwnerSource"/>, so that commands on this machine find it where they always do.
    /// </summary>
    /// <exception cref="IOException">The file cannot be read, is not safe, or holds no token; the message says which.</exception>
    internal void TakeOwnerFromSource()
    {
        if (OwnerSource is not { } path)
            return;
        if (!File.Exists(path))
            throw new IOException($"--token-file {path} does not exist");
        OwnedPath.CheckFile(path, "the token file");
        var token = File.ReadAllText(path).Trim();
        if (token.Length is < LeastLength or > MaxLength || token.Any(c => c is <= ' ' or > '~'))
        {
            throw new IOException(
                $"--token-file {path} must hold a token of {LeastLength} to {MaxLength} printable ASCII characters without spaces, such " +
                "as 'openssl rand -hex 32' prints");
        }

        using var gate = Lock();
        if (ReadOwner() != token)
            OwnerOnlyFile.Write(OwnerPath, token + "\n");
    }

    /// <summary>
    /// Refuses files that other users could have written, before a forged token is accepted. Returns warnings on lesser deviations.
    /// </summary>
    /// <exception cref="IOException">Another user owns a file or may write it; the message says which.</exception>
    public IReadOnlyList<string> Check() =>
        [.. new[] { OwnedPath.CheckFile(OwnerPath, "the token file"),
            OwnedPath.CheckFile(_listPath, "the list of tokens") }.OfType<string>()];

    /// <summary>Whether this is the owner's current token or a previous one.</summary>
    internal static bool IsOwners(string id) => id == OwnerId || id.StartsWith(KeptPrefix, StringComparison.Ordinal);

    /// <summary>A stamp that changes whenever one of the files does.</summary>
    internal (DateTime Owner, DateTime Others, DateTime Source) Stamp() => (
        File.GetLastWriteTimeUtc(OwnerPath), File.GetLastWriteTimeUtc(_listPath),
        OwnerSource is { } source ? TimeOf(source) : default);

    // A mounted secret is a link to a link; its replacement changes the target, not the link.
    private static DateTime TimeOf(string path) =>
        !File.Exists(path) ? default
        : File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target ? target.LastWriteTimeUtc
        : File.GetLastWriteTimeUtc(path);

    private static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    private TokenEntry Owner()
    {
        var token = ReadOwner() ?? throw new IOException($"{OwnerPath} holds no token: remove it, and 'orchestrator serve' makes one");
        return new TokenEntry(OwnerId, Role.Operate, TokenDigest.Of(token)!.Value.ToString(), File.GetLastWriteTimeUtc(OwnerPath), null);
    }

    private string? ReadOwner()
    {
        if (!File.Exists(OwnerPath))
            return null;
        OwnedPath.CheckFile(OwnerPath, "the token file");
        var known = File.ReadAllText(OwnerPath).Trim();
        return known.Length is >= LeastLength and <= MaxLength ? known : null;
    }

    private List<TokenEntry> Others()
    {
        if (!File.Exists(_listPath))
            return [];
        OwnedPath.CheckFile(_listPath, "the list of tokens");
        try
        {
            return [.. JsonNode.Parse(File.ReadAllText(_listPath))!["tokens"]!.AsArray().Select(item => TokenEntry.FromJson(item!))];
        }
        catch (Exception exception)
            when (exception is JsonException or NullReferenceException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new IOException(
                $"{_listPath} is damaged: {exception.Message}; remove it, which ends all tokens but the owner's", exception);
        }
    }

    private void Write(IReadOnlyList<TokenEntry> entries)
    {
        var now = time.GetUtcNow();
        var alive = entries.Where(entry => !entry.HasExpired(now)).Select(entry => (JsonNode)entry.ToJson()).ToArray();
        OwnerOnlyFile.Write(_listPath, new JsonObject { ["tokens"] = new JsonArray(alive) }.ToJsonString(Indented) + "\n");
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    // Two commands that change the list at the same time must not lose a change.
    private FileStream Lock()
    {
        var path = _listPath + ".lock";
        using var pause = new ManualResetEventSlim();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(path, new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.None,
                    UnixCreateMode = OwnerOnlyFile.Mode
                });
            }
            catch (IOException) when (attempt < 500 && File.Exists(path))
            {
                // Another command holds the lock for a few milliseconds.
                pause.Wait(TimeSpan.FromMilliseconds(10));
            }
        }
    }
}

/// <summary>The stored data of a token, without its secret.</summary>
/// <param name="Id">The token's id.</param>
/// <param name="Role">What it allows.</param>
/// <param name="Sha256">Its hash, in hexadecimal.</param>
/// <param name="Created">The creation time.</param>
/// <param name="Expires">The expiry time; null for never.</param>
public sealed record TokenEntry(string Id, Role Role, string Sha256, DateTimeOffset Created, DateTimeOffset? Expires)
{
    internal bool HasExpired(DateTimeOffset now) => Expires <= now;

    internal static TokenEntry FromJson(JsonNode item) => new(
        (string)item["id"]!,
        RoleNames.TryParse((string)item["role"]!, out var role) ? role : throw new FormatException($"'{item["role"]}' is not a role"),
        TokenDigest.Parse((string)item["sha256"]!) is { } digest
            ? digest.ToString() : throw new FormatException("sha256 is not a SHA-256 digest"),
        Time(item["created"])!.Value,
        Time(item["expires"]));

    internal JsonObject ToJson() => new()
    {
        ["id"] = Id,
        ["role"] = RoleNames.Of(Role),
        ["sha256"] = Sha256,
        ["created"] = Created.ToString("O", CultureInfo.InvariantCulture),
        ["expires"] = Expires?.ToString("O", CultureInfo.InvariantCulture),
    };

    private static DateTimeOffset? Time(JsonNode? node) =>
        node is null ? null : DateTimeOffset.Parse((string)node!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}

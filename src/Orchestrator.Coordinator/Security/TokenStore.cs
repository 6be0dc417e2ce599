using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Contracts;

namespace Orchestrator.Coordinator.Security;

/// <summary>The coordinator's credential: a random 256-bit token in a file that only its owner can read.</summary>
internal sealed class TokenStore
{
    private readonly string _token;
    private readonly ConcurrentDictionary<string, byte> _workers = new();

    /// <summary>Reads the token of the data directory, or makes one at the first start.</summary>
    public TokenStore(string dataDirectory)
    {
        Path = System.IO.Path.Combine(dataDirectory, ProtocolConstants.TokenFileName);
        _token = ReadOrCreate(Path);
    }

    /// <summary>Where the token lies.</summary>
    public string Path { get; }

    /// <summary>Makes a token for one worker process, by which its handlers reach the object services and nothing else.</summary>
    public string IssueForWorker()
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        _workers.TryAdd(token, 0);
        return token;
    }

    /// <summary>The worker has ended, and its token with it.</summary>
    public void Revoke(string token) => _workers.TryRemove(token, out _);

    /// <summary>Whose credential this is, as sent in the authorization header. Ours is compared in fixed time, but for its length, which is no secret.</summary>
    public Caller Identify(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith(ProtocolConstants.BearerPrefix, StringComparison.OrdinalIgnoreCase))
            return Caller.Nobody;
        var presented = authorization.AsSpan(ProtocolConstants.BearerPrefix.Length).Trim();
        if (CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(presented), MemoryMarshal.AsBytes(_token.AsSpan())))
            return Caller.Client;
        // A table is searched by the token's hash, which is keyed with a secret of this process: the time it takes tells nothing of the tokens in it.
        return _workers.GetAlternateLookup<ReadOnlySpan<char>>().ContainsKey(presented) ? Caller.Worker : Caller.Nobody;
    }

    private static string ReadOrCreate(string path)
    {
        if (File.Exists(path))
        {
            var known = File.ReadAllText(path).Trim();
            if (known.Length >= 32)
            {
                // Whoever copied it about may have loosened its mode.
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                return known;
            }
        }

        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        using var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        stream.Write(Encoding.ASCII.GetBytes(token + "\n"));
        return token;
    }
}

/// <summary>Who calls, by the credential.</summary>
internal enum Caller
{
    /// <summary>No credential, or a wrong one.</summary>
    Nobody,

    /// <summary>Whoever may read the token file: everything is allowed.</summary>
    Client,

    /// <summary>A handler in a worker process: sessions, queues, pipes, state and synchronization.</summary>
    Worker,
}

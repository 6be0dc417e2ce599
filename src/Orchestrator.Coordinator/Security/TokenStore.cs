using System.Security.Cryptography;
using System.Text;
using Orchestrator.Contracts;

namespace Orchestrator.Coordinator.Security;

/// <summary>The coordinator's credential: a random 256-bit token in a file that only its owner can read. Memory holds only its hash.</summary>
internal sealed class TokenStore
{
    private readonly byte[] _hash;

    /// <summary>Reads the token of the data directory, or makes one at the first start.</summary>
    public TokenStore(string dataDirectory)
    {
        Path = System.IO.Path.Combine(dataDirectory, ProtocolConstants.TokenFileName);
        var token = ReadOrCreate(Path);
        _hash = Hash(token);
    }

    /// <summary>Where the token lies.</summary>
    public string Path { get; }

    /// <summary>Whether a credential as sent in the authorization header is the token; compared in fixed time.</summary>
    public bool Accepts(string? authorization) =>
        authorization is not null
        && authorization.StartsWith(ProtocolConstants.BearerPrefix, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Hash(authorization.AsSpan(ProtocolConstants.BearerPrefix.Length).Trim()), _hash);

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

    private static byte[] Hash(ReadOnlySpan<char> token)
    {
        Span<byte> bytes = stackalloc byte[256];
        // A longer one cannot be right, and must not be cut down to one that is.
        if (token.Length > 80 || !Encoding.UTF8.TryGetBytes(token, bytes, out var length))
            return new byte[32];
        return SHA256.HashData(bytes[..length]);
    }
}

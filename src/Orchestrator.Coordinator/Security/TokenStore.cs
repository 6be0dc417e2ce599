using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Contracts;

namespace Orchestrator.Coordinator.Security;

/// <summary>The coordinator's credential: a random 256-bit token in a file that only its owner can read.</summary>
internal sealed class TokenStore
{
    private readonly string _token;

    /// <summary>Reads the token of the data directory, or makes one at the first start.</summary>
    public TokenStore(string dataDirectory)
    {
        Path = System.IO.Path.Combine(dataDirectory, ProtocolConstants.TokenFileName);
        _token = ReadOrCreate(Path);
    }

    /// <summary>Where the token lies.</summary>
    public string Path { get; }

    /// <summary>Whether a credential as sent in the authorization header is the token; compared in fixed time, but for its length, which is no secret.</summary>
    public bool Accepts(string? authorization) =>
        authorization is not null
        && authorization.StartsWith(ProtocolConstants.BearerPrefix, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(
            MemoryMarshal.AsBytes(authorization.AsSpan(ProtocolConstants.BearerPrefix.Length).Trim()), MemoryMarshal.AsBytes(_token.AsSpan()));

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

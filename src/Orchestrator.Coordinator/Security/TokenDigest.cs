using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// The SHA-256 of a token. Tokens are 256 random bits, so a plain hash cannot be reversed, and the timing of a lookup by hash reveals
/// nothing about a token: an attacker cannot steer a guess's digest towards one in the table.
/// </summary>
internal readonly record struct TokenDigest(ulong First, ulong Second, ulong Third, ulong Fourth)
{
    private const int MaxTokenLength = 256;

    public static TokenDigest? Of(ReadOnlySpan<char> token)
    {
        if (token.IsEmpty || token.Length > MaxTokenLength)
            return null;
        Span<byte> bytes = stackalloc byte[MaxTokenLength * 3];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(token, bytes)], hash);
        return MemoryMarshal.Read<TokenDigest>(hash);
    }

    /// <summary>Parses the output of <see cref="ToString"/>; null for any other text.</summary>
    public static TokenDigest? Parse(string hex)
    {
        try
        {
            return Convert.FromHexString(hex) is { Length: SHA256.HashSizeInBytes } hash ? MemoryMarshal.Read<TokenDigest>(hash) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // The digest is already evenly distributed.
    public override int GetHashCode() => (int)First;

    public override string ToString()
    {
        var self = this;
        return Convert.ToHexStringLower(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in self, 1)));
    }
}

using System.Buffers;

namespace Orchestrator.Protocol;

/// <summary>
/// The rule for handler names: they are shown on terminals and in tables, so they must not contain characters with a meaning
/// there.
/// </summary>
public static class HandlerNames
{
    /// <summary>The longest name.</summary>
    public const int MaxLength = 128;

    /// <summary>The rule in words.</summary>
    public const string Rule = "1 to 128 of A-Z a-z 0-9 . _ / -";

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-");

    /// <summary>Whether the text is a handler's name.</summary>
    public static bool IsValid(ReadOnlySpan<char> name) => name.Length is > 0 and <= MaxLength && !name.ContainsAnyExcept(Allowed);
}

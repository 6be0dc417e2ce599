using Orchestrator.Worker.Payloads;

namespace Orchestrator.Handlers.Io;

/// <summary>Decides whether a URL lies below an allowed prefix. Compared as parsed addresses, never as text.</summary>
internal sealed class AllowedUrls(IList<string> prefixes)
{
    /// <summary>Throws an invalid input that names the option.</summary>
    public void Check(string field, Uri url)
    {
        if (!prefixes.Any(prefix => IsBelow(url, prefix)))
        {
            throw new InvalidInputException(
                field,
                prefixes.Count == 0
                    ? "is not allowed: the stock handlers fetch nothing unless the option AllowedUrlPrefixes lists it ('serve " +
                        $"--allow-url PREFIX'), got '{url}'"
                    : $"is outside what the option AllowedUrlPrefixes lists, got '{url}'");
        }
    }

    private static bool IsBelow(Uri url, string prefix)
    {
        if (!Uri.TryCreate(prefix, UriKind.Absolute, out var allowed))
            return false;
        if (url.Scheme != allowed.Scheme || url.IdnHost != allowed.IdnHost || url.Port != allowed.Port || url.UserInfo.Length > 0)
            return false;
        var path = url.AbsolutePath;
        // The parser has resolved '..'; a server might decode an escaped one and climb out.
        if (path.Contains("%2e", StringComparison.OrdinalIgnoreCase) || path.Contains("%2f", StringComparison.OrdinalIgnoreCase) ||
            path.Contains("%5c", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var root = allowed.AbsolutePath;
        return path.StartsWith(root, StringComparison.Ordinal)
            && (root.EndsWith('/') || path.Length == root.Length || path[root.Length] == '/');
    }
}

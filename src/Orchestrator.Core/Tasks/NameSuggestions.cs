namespace Orchestrator.Core.Tasks;

/// <summary>Suggestions for a mistyped name.</summary>
public static class NameSuggestions
{
    private const int MaxSuggestions = 3;
    private const int MaxLength = 128;

    /// <summary>The names closest to <paramref name="name"/> by edit distance (Levenshtein), or that contain it; nearest first.</summary>
    public static IReadOnlyList<string> Of(string name, IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(names);
        if (name.Length is 0 or > MaxLength)
            return [];
        var allowed = Math.Max(2, name.Length / 3);
        return [.. names
            .Select(candidate => (candidate, distance: Distance(name, candidate)))
            .Where(item => item.distance <= allowed
                || (name.Length >= 3 && item.candidate.Contains(name, StringComparison.OrdinalIgnoreCase)))
            .OrderBy(item => item.distance)
            .ThenBy(item => item.candidate, StringComparer.Ordinal)
            .Take(MaxSuggestions)
            .Select(item => item.candidate)];
    }

    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var same = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]);
                var best = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (same ? 0 : 1));
                diagonal = row[j];
                row[j] = best;
            }
        }

        return row[right.Length];
    }
}

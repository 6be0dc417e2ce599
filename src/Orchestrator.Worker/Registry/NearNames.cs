namespace Orchestrator.Worker;

/// <summary>Guesses what a misspelled name was meant to be.</summary>
internal static class NearNames
{
    private const int MaxAnswers = 3;

    public static IReadOnlyList<string> Find(string name, IEnumerable<string> known)
    {
        // A third of the letters wrong is still a typing error; more is another word.
        var tolerance = Math.Max(2, name.Length / 3);
        return known
            .Select(candidate => (candidate, distance: Distance(name, candidate)))
            .Where(pair => pair.distance <= tolerance || Contains(pair.candidate, name))
            .OrderBy(pair => pair.distance)
            .ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .Take(MaxAnswers)
            .Select(pair => pair.candidate)
            .ToList();
    }

    private static bool Contains(string candidate, string name) =>
        name.Length >= 3 && candidate.Contains(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Levenshtein's edit distance, case ignored.</summary>
    private static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
            row[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                (row[j], diagonal) = (Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + cost), row[j]);
            }
        }

        return row[b.Length];
    }
}

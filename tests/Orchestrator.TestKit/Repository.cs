namespace Orchestrator.TestKit;

/// <summary>The working tree that the running tests were built from.</summary>
public static class Repository
{
    private const string Mark = "Orchestrator.sln";

    /// <summary>Its folder.</summary>
    public static string Root { get; } = Find();

    /// <summary>A path inside it.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, Mark)))
                return directory.FullName;
        }

        throw new InvalidOperationException($"no folder above the tests holds {Mark}");
    }
}

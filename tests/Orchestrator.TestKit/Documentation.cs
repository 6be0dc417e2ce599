using System.Text;

namespace Orchestrator.TestKit;

/// <summary>The pages of the documentation, <c>README.md</c> and <c>docs/*.md</c>, and the blocks of code on them.</summary>
public static class Documentation
{
    private const string Fence = "```";

    private static readonly string[] s_generated = ["artifacts", "bin", "obj", "node_modules"];

    private static readonly Lazy<IReadOnlyList<DocumentationBlock>> s_blocks = new(ReadBlocks);

    /// <summary>Their paths in the repository.</summary>
    public static IReadOnlyList<string> Pages { get; } =
    [
        "README.md",
        .. Directory.EnumerateFiles(Repository.PathOf("docs"), "*.md").Select(
            path => Path.GetRelativePath(Repository.Root, path)).Order(StringComparer.Ordinal),
    ];

    /// <summary>Every Markdown file of the repository.</summary>
    public static IReadOnlyList<string> MarkdownFiles { get; } =
    [
        .. MarkdownIn(Repository.Root).Select(path => Path.GetRelativePath(Repository.Root, path)).Order(StringComparer.Ordinal),
    ];

    /// <summary>The blocks of all pages.</summary>
    public static IReadOnlyList<DocumentationBlock> Blocks() => s_blocks.Value;

    /// <summary>The blocks of all pages in one language.</summary>
    public static IReadOnlyList<DocumentationBlock> Blocks(string language) =>
        [.. s_blocks.Value.Where(block => block.Language == language)];

    /// <summary>The blocks of the packages' own pages, <c>src/*/README.md</c>, in one language.</summary>
    public static IReadOnlyList<DocumentationBlock> PackageBlocks(string language) =>
    [
        .. MarkdownFiles.Where(path => path.StartsWith("src/", StringComparison.Ordinal)).SelectMany(BlocksOf).Where(
            block => block.Language == language),
    ];

    /// <summary>The lines of a file.</summary>
    public static string[] Lines(string file) => File.ReadAllLines(Repository.PathOf(file));

    /// <summary>The lines of a file outside of its blocks of code, with their numbers from 1.</summary>
    public static IEnumerable<(int Number, string Text)> Prose(string file)
    {
        var isCode = false;
        foreach (var (index, line) in Lines(file).Index())
        {
            if (line.StartsWith(Fence, StringComparison.Ordinal))
                isCode = !isCode;
            else if (!isCode)
                yield return (index + 1, line);
        }
    }

    private static IEnumerable<string> MarkdownIn(string folder) =>
        Directory.EnumerateFiles(folder, "*.md").Concat(
            from child in Directory.EnumerateDirectories(folder)
            let name = Path.GetFileName(child)
            where !name.StartsWith('.') && !s_generated.Contains(name)
            from path in MarkdownIn(child)
            select path);

    private static IReadOnlyList<DocumentationBlock> ReadBlocks() => [.. Pages.SelectMany(BlocksOf)];

    private static IEnumerable<DocumentationBlock> BlocksOf(string page)
    {
        (int Line, string Info)? open = null;
        var text = new StringBuilder();
        foreach (var (index, line) in Lines(page).Index())
        {
            if (!line.StartsWith(Fence, StringComparison.Ordinal))
            {
                if (open is not null)
                    text.Append(line).Append('\n');
            }
            else if (open is not { } block)
            {
                open = (index + 2, line[Fence.Length..].Trim());
            }
            else
            {
                var words = block.Info.Split(' ', 2, StringSplitOptions.TrimEntries);
                yield return new DocumentationBlock(page, block.Line, words[0], words.Length > 1 ? words[1] : "", text.ToString());
                open = null;
                text.Clear();
            }
        }

        if (open is { } left)
            throw new InvalidOperationException($"{page}:{left.Line - 1}: this block of code does not end");
    }
}

/// <summary>A block of code on a page.</summary>
/// <param name="Page">The page's path in the repository.</param>
/// <param name="Line">The number of its first line of code.</param>
/// <param name="Language">The first word behind the opening fence.</param>
/// <param name="Info">The other words behind it.</param>
/// <param name="Text">The code.</param>
public sealed record DocumentationBlock(string Page, int Line, string Language, string Info, string Text)
{
    /// <summary>The mark of blocks that need the packages; <c>scripts/accept packages</c> runs them.</summary>
    public const string Packages = "packages";

    private const string NoRunMark = "no-run:";

    /// <summary>Why it is only parsed; null if it is compiled or run.</summary>
    public string? NoRun => Info.StartsWith(NoRunMark, StringComparison.Ordinal) ? Info[NoRunMark.Length..].Trim() : null;

    /// <summary>Where it is.</summary>
    public override string ToString() => $"{Page}:{Line}";
}

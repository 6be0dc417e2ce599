using System.Text.RegularExpressions;
using Orchestrator.TestKit;

namespace Orchestrator.Architecture.Tests;

/// <summary>What the pages of the documentation promise to their readers: sizes, links, and the marks of their blocks of code.</summary>
public sealed partial class DocumentationTests
{
    private const int MaxReadmeLines = 150;
    private const int MaxPageLines = 400;
    private const int MaxColumns = 160;
    private const int MaxBlocksThatAreNotRun = 15;

    private static readonly string[] s_folders = ["src", "tests", "samples", "scripts", "deploy", "protos"];
    private static readonly string[] s_sources = ["", ".cs", ".csproj", ".proto", ".py", ".service", ".sh"];

    [Fact]
    public void A_page_is_short_enough_to_read() => AssertNone(
        from page in Documentation.Pages
        let lines = Documentation.Lines(page).Length
        let most = page == "README.md" ? MaxReadmeLines : MaxPageLines
        where lines > most
        select $"{page} has {lines} lines; divide it at {most}");

    [Fact]
    public void A_line_fits_the_screen() => AssertNone(
        from page in Documentation.Pages.Append("SECURITY.md")
        let lines = Documentation.Lines(page)
        // A row of a table cannot be wrapped, and those of this map are drawn from the code.
        let mapBegins = Array.FindIndex(lines, text => text.StartsWith("<!-- map of the rooms", StringComparison.Ordinal))
        let mapEnds = Array.IndexOf(lines, "<!-- end of the map -->")
        from line in lines.Index()
        where line.Item.Length > MaxColumns && !(line.Index > mapBegins && line.Index < mapEnds)
        select $"{page}:{line.Index + 1} has {line.Item.Length} columns; wrap it at {MaxColumns}");

    [Fact]
    public void A_link_leads_somewhere()
    {
        var links =
            (from file in Documentation.MarkdownFiles
             from line in Documentation.Prose(file)
             from target in Link().Matches(InlineCode().Replace(line.Text, "")).Select(match => match.Groups["target"].Value)
             where !target.Contains(':', StringComparison.Ordinal)
             select (Place: $"{file}:{line.Number}", File: file, Target: target)).ToArray();
        Assert.True(links.Length > 100, $"only {links.Length} links were found");
        AssertNone(
            from link in links
            let fault = FaultOf(link.File, link.Target)
            where fault is not null
            select $"{link.Place}: {link.Target}: {fault}");
    }

    [Fact]
    public void A_page_is_in_the_index()
    {
        var index = File.ReadAllText(Repository.PathOf("docs", "README.md"));
        AssertNone(
            from page in Documentation.Pages
            let name = Path.GetFileName(page)
            where name != "README.md" && !index.Contains($"]({name})", StringComparison.Ordinal)
            select $"{page} is not in docs/README.md");
    }

    /// <summary>Part 5, 24.</summary>
    [Fact]
    public void The_page_on_security_says_what_a_workers_token_does_not_protect_against()
    {
        var page = File.ReadAllText(Repository.PathOf("docs", "security.md")).ReplaceLineEndings(" ");
        var section = page[page.IndexOf("## What roles and tokens do not protect against", StringComparison.Ordinal)..];
        Assert.Contains("A handler's code runs in a worker process as the coordinator's own user", section, StringComparison.Ordinal);
        Assert.Contains("the token and the journal included", section, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_that_a_source_names_exists() => AssertNone(
        from folder in s_folders
        from path in Directory.EnumerateFiles(Repository.PathOf(folder), "*", SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(Repository.Root, path)
        where s_sources.Contains(Path.GetExtension(path)) && !relative.Split('/').Any(part => part is "obj" or "bin" or "node_modules")
        from name in PageName().Matches(File.ReadAllText(path)).Select(match => match.Value)
        where !File.Exists(Repository.PathOf(name))
        select $"{relative} names {name}, which does not exist");

    [Fact]
    public void A_block_of_code_has_a_language_and_marks_that_the_tests_know() => AssertNone(
        from block in Documentation.Blocks()
        where !(block.Language switch
        {
            "sh" => block.Info is "" or DocumentationBlock.Packages || block.NoRun?.Length > 0,
            "csharp" => block.NoRun?.Length > 0 || DocumentationCodeTests.Knows(block.Info),
            "text" => block.Info.Length == 0,
            _ => false,
        })
        select $"{block}: '{block.Language} {block.Info}'");

    [Fact]
    public void Few_blocks_are_not_run()
    {
        var blocks = Documentation.Blocks().Where(block => block.NoRun is not null).ToArray();
        Assert.True(
            blocks.Length <= MaxBlocksThatAreNotRun,
            $"{blocks.Length} blocks are not run, and {MaxBlocksThatAreNotRun} may be:\n" +
                string.Join('\n', blocks.Select(block => $"{block}: {block.NoRun}")));
    }

    /// <summary>Why a link of a file cannot be followed; null if it can.</summary>
    private static string? FaultOf(string file, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0
            ? Repository.PathOf(file) : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Repository.PathOf(file))!, parts[0]));
        var relative = Path.GetRelativePath(Repository.Root, path);
        if (relative.StartsWith("..", StringComparison.Ordinal))
            return "it leaves the repository";
        if (!File.Exists(path) && !Directory.Exists(path))
            return "there is no such file or folder";
        return parts.Length == 1 || Anchors(relative).Contains(parts[1]) ? null : "there is no such heading";
    }

    /// <summary>The anchors of a page's headings, named as GitHub does.</summary>
    private static HashSet<string> Anchors(string file)
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (var heading in Documentation.Prose(file).Select(line => Heading().Match(line.Text)).Where(match => match.Success))
        {
            var text = LinkInHeading().Replace(heading.Groups["text"].Value.Trim(), "$1").ToLowerInvariant();
            var anchor = string.Concat(text.Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');
            var name = anchor;
            for (var more = 1; !anchors.Add(name); more++)
                name = $"{anchor}-{more}";
        }

        return anchors;
    }

    private static void AssertNone(IEnumerable<string> faults)
    {
        var found = faults.ToArray();
        Assert.True(found.Length == 0, string.Join(Environment.NewLine, found));
    }

    // The text of a link may be broken over two lines, its target not.
    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex InlineCode();

    [GeneratedRegex("^#{1,6} +(?<text>.+)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex LinkInHeading();

    [GeneratedRegex(@"\bdocs/[a-z-]+\.md\b")]
    private static partial Regex PageName();
}

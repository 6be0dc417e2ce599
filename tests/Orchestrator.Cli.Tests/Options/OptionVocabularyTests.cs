using System.CommandLine;
using System.CommandLine.Help;

namespace Orchestrator.Cli.Tests.Options;

/// <summary>One name per option everywhere.</summary>
public sealed class OptionVocabularyTests
{
    /// <summary>How the descriptions of a name begin that differ with what the verb does.</summary>
    private static readonly Dictionary<string, string> s_shared = new(StringComparer.Ordinal)
    {
        ["--count"] = "How many ",
        ["--durability"] =
            "What it survives: nothing (memory), the end of the coordinator's process (process), or also the loss of power (disk).",
        ["--duration"] = "The length of ",
        ["--group"] = "The group of workers; ",
        ["--handler"] = "The handler ",
        ["--in-flight"] = "The most in flight: ",
        ["--permits"] = "The number of permits",
        ["--priority"] = "The priority: ",
        ["--report"] = "Write a page with plots",
        ["--size"] = "The size of ",
        ["--timeout"] = "How long to wait",
    };

    public static TheoryData<string, string> Contradictions => new()
    {
        { "--limit has more than one value: 'N' of one, 'SIZE' of two", "value" },
        { "--limit has more than one type: 'integer' of one, 'text' of two", "type" },
        { "--limit has more than one aliases: '' of one, '-l' of two", "alias" },
        { "--limit has more than one description: 'The most.' of one, 'At most.' of two", "description" },
        { "the description 'The most.' has several names: --limit, --max", "name" },
        { "the value 'N' has several types: integer, time", "type of a value" },
        { "the alias '-l' has several options: --limit, --lines", "alias of two" },
        { "--limit of two is not described in a sentence: 'the most'", "sentence" },
        { "--limit of two does not name its value", "no value" },
        { "--All of two is not two dashes and lower case", "case" },
        { "--wait of two begins as --timeout does: 'How long to wait'", "beginning" },
        { "--timeout of two does not begin with 'How long to wait': 'The patience.'", "other beginning" },
        { "--timeout has one description, or none: it needs no common beginning", "stale" },
    };

    [Fact]
    public void All_verbs_name_and_describe_an_option_alike()
    {
        var verbs = VerbTree.All().Append(("orchestrator", CommandLine.Root)).SelectMany(
            verb => verb.Item2.Options.Where(option => option is not (HelpOption or VersionOption)).Select(option => (verb.Item1, option)));
        Assert.Empty(new OptionVocabulary([.. verbs], s_shared).Faults());
    }

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void A_contradiction_is_found(string expected, string what)
    {
        Option<int> limit = new("--limit") { Description = "The most.", HelpName = "N" };
        Option<int> wait = new("--timeout") { Description = "How long to wait for one.", HelpName = "N" };
        var shared = new Dictionary<string, string>();
        if (what is "beginning" or "other beginning" or "stale")
            shared.Add("--timeout", "How long to wait");
        (string, Option)[] verbs = what switch
        {
            "value" => [("one", limit), ("two", new Option<int>("--limit") { Description = "The most.", HelpName = "SIZE" })],
            "type" => [("one", limit), ("two", new Option<string>("--limit") { Description = "The most.", HelpName = "N" })],
            "alias" => [("one", limit), ("two", new Option<int>("--limit", "-l") { Description = "The most.", HelpName = "N" })],
            "description" => [("one", limit), ("two", new Option<int>("--limit") { Description = "At most.", HelpName = "N" })],
            "name" => [("one", limit), ("two", new Option<int>("--max") { Description = "The most.", HelpName = "N" })],
            "type of a value" =>
                [("one", limit), ("two", new Option<Cli.Options.OptionTime>("--since") { Description = "Since.", HelpName = "N" })],
            "alias of two" =>
            [
                ("one", new Option<int>("--limit", "-l") { Description = "The most.", HelpName = "N" }),
                ("two", new Option<int>("--lines", "-l") { Description = "Lines.", HelpName = "N" }),
            ],
            "sentence" => [("two", new Option<int>("--limit") { Description = "the most", HelpName = "N" })],
            "no value" => [("two", new Option<int>("--limit") { Description = "The most." })],
            "case" => [("two", new Option<bool>("--All") { Description = "All." })],
            "beginning" =>
                [("one", wait), ("two", new Option<int>("--wait") { Description = "How long to wait for two.", HelpName = "N" })],
            "other beginning" =>
                [("one", wait), ("two", new Option<int>("--timeout") { Description = "The patience.", HelpName = "N" })],
            _ => [("one", wait)],
        };
        Assert.Contains(expected, new OptionVocabulary(verbs, shared).Faults());
    }
}

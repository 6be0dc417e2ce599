using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>
/// Part 5, 30: the numbers in docs/configuration.md match the code: defaults of options by reflection, limits as a coordinator lists them.
/// </summary>
public sealed partial class DocumentationNumberTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const string Page = "docs/configuration.md";

    /// <summary>Properties whose default the page states in words.</summary>
    private static readonly string[] s_inWords =
    [
        "AllowedHosts", "Authentication", "DataDirectory", "E.BriefWorkers", "InProcessThreads", "ListenAddress", "LogFormat",
        "LogTasks", "MemoryBudget", "S.Command", "S.InheritedVariables", "S.MaxWorkerMemory", "S.MoreGroups", "S.PinWorkers",
        "S.RecycleAfterTasks", "S.Workers", "Tls", "TlsSelfSigned", "TokenFile", "Verbose",
    ];

    /// <summary>Where the page states a limit: the start of a row in one of its tables.</summary>
    private static readonly Dictionary<string, string> s_rows = new(StringComparer.Ordinal)
    {
        ["tasks"] = "| | `E.MaxTasks` |",
        ["payload_bytes_total"] = "| | `E.MaxPayloadBytes` |",
        ["request_ids"] = "| | `E.RequestIdWindow`, `E.MaxRequestIds` |",
        ["affinity_keys"] = "| | `E.MaxAffinityKeys` |",
        ["objects.sessions"] = "| sessions; named objects; operations that wait;",
        ["objects.named"] = "| sessions; named objects; operations that wait;",
        ["objects.waits"] = "| sessions; named objects; operations that wait;",
        ["objects.replays"] = "| sessions; named objects; operations that wait;",
        ["history_tasks"] = "| | `J.HistoryAge`, `J.HistoryTasks`, `J.HistoryBytes` |",
        ["history_bytes"] = "| | `J.HistoryAge`, `J.HistoryTasks`, `J.HistoryBytes` |",
        ["tasks_per_client"] = "| per client: tasks; bytes; sessions; streams |",
        ["payload_bytes_per_client"] = "| per client: tasks; bytes; sessions; streams |",
        ["sessions_per_client"] = "| per client: tasks; bytes; sessions; streams |",
        ["streams_per_client"] = "| per client: tasks; bytes; sessions; streams |",
        ["objects_per_client"] = "| per client: shared objects that it made;",
        ["waits_per_client"] = "| per client: shared objects that it made;",
        ["payload_bytes"] = "| one payload: input, output,",
        ["message_bytes"] = "| one message of a call |",
        ["name_chars"] = "| names: of handlers",
        ["session_id_chars"] = "| session ids; request ids; page tokens; keys of dicts;",
        ["request_id_chars"] = "| session ids; request ids; page tokens; keys of dicts;",
        ["page_token_chars"] = "| session ids; request ids; page tokens; keys of dicts;",
        ["key_chars"] = "| session ids; request ids; page tokens; keys of dicts;",
        ["trace_chars"] = "| names: of handlers,",
        ["text_chars"] = "| session ids; request ids; page tokens; keys of dicts;",
        ["labels"] = "| lists of a request; labels of a task;",
        ["dependencies"] = "| lists of a request; labels of a task;",
        ["list_elements"] = "| lists of a request; labels of a task;",
        ["stream_credits"] = "| `--credits` |",
        ["stream_credit_bytes"] = "| | `CreditBytesPerStream` |",
        ["delivered_results"] = "| | `E.MaxDeliveredResults`, `E.MaxDeliveredBytes` |",
        ["worker_prefetch"] = "| | `E.PrefetchTarget`, `E.MaxCredits` |",
        ["worker_io"] = "| `--max-io` |",
        ["worker_blocking"] = "| `--blocking-threads` |",
    };

    /// <summary>Fractions of the memory budget, which the page states as such, and limits without a bound of their own.</summary>
    private static readonly string[] s_parts =
        ["memory", "memory_kept", "memory_kept_per_client", "object_bytes_per_client", "incoming_bytes", "streams"];

    private static readonly string[] s_lines = Documentation.Lines(Page);

    [Fact]
    public void The_defaults_of_options_are_those_of_the_code()
    {
        var inWords = new List<string>();
        var compared = 0;
        foreach (var row in s_lines.SkipWhile(line => line != "## Options").TakeWhile(line => line != "## Limits"))
        {
            if (Row().Match(row) is not { Success: true } match)
                continue;
            var properties = Property().Matches(match.Groups["properties"].Value).Select(property => property.Groups[1].Value).ToArray();
            var defaults = Separator().Split(match.Groups["defaults"].Value.Trim());
            foreach (var (index, property) in properties.Index())
            {
                var value = ValueOf(property);
                if (defaults.Length != properties.Length || Parse(defaults[index], value) is not { } stated)
                {
                    inWords.Add(property);
                    continue;
                }

                compared++;
                Assert.True(stated == Number(value), $"{Page} says that {property} is {defaults[index]}, and it is {value}");
            }
        }

        Assert.True(compared > 30, $"only {compared} defaults were found");
        Assert.Equal(s_inWords, inWords.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_limits_of_a_coordinator_are_those_of_the_page()
    {
        var limits = (await shared.Coordinator.Admin.ListLimitsAsync(new ListLimitsRequest(), CoordinatorProcess.Deadline())).Limits;
        Assert.Equal(
            s_rows.Keys.Concat(s_parts).Order(StringComparer.Ordinal), limits.Select(limit => limit.Name).Order(StringComparer.Ordinal));
        foreach (var limit in limits.Where(limit => !s_parts.Contains(limit.Name)))
        {
            var row = Assert.Single(s_lines, line => line.StartsWith(s_rows[limit.Name], StringComparison.Ordinal));
            Assert.True(
                Forms(limit.Maximum).Any(form => Regex.IsMatch(row, $@"(?<![0-9,]){Regex.Escape(form)}(?![0-9,]*[0-9])")),
                $"{limit.Name} is {limit.Maximum:N0}, which {Page} does not say: {row}");
        }
    }

    private static IEnumerable<string> Forms(long value)
    {
        yield return value.ToString("N0", CultureInfo.InvariantCulture);
        foreach (var (unit, bytes) in new[] { ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30) })
        {
            if (value % bytes == 0)
                yield return $"{value / bytes} {unit}";
        }
    }

    private static object? ValueOf(string property)
    {
        var options = new CoordinatorOptions { DataDirectory = "/" };
        object holder = property[..Math.Min(2, property.Length)] switch
        {
            "S." => options.Supervision,
            "E." => options.Engine,
            "J." => options.Journal,
            "O." => options.Objects,
            "T." => options.Traces,
            _ => options,
        };
        var name = property.Contains('.', StringComparison.Ordinal) ? property[2..] : property;
        return (holder.GetType().GetProperty(name)
            ?? throw new InvalidOperationException($"{Page} names {property}, and there is no such property")).GetValue(holder);
    }

    private static double Number(object? value) =>
        value is TimeSpan time ? time.TotalMilliseconds : Convert.ToDouble(value, CultureInfo.InvariantCulture);

    /// <summary>Null where the value is in words, or cannot be compared.</summary>
    private static double? Parse(string text, object? value)
    {
        if (value is not (TimeSpan or int or long or double) || Quantity().Match(text.Trim('`', ' ')) is not { Success: true } match)
            return null;
        var number = double.Parse(match.Groups[1].Value, NumberStyles.Number, CultureInfo.InvariantCulture);
        return number * match.Groups[2].Value switch
        {
            "" or "ms" => 1,
            "s" => 1_000,
            "min" => 60_000,
            "h" => 3_600_000,
            "days" => 86_400_000,
            "KiB" => 1L << 10,
            "MiB" => 1L << 20,
            _ => 1L << 30,
        };
    }

    [GeneratedRegex(@"^\|[^|]*\| (?<properties>`[^|]+) \| (?<defaults>[^|]+) \|")]
    private static partial Regex Row();

    [GeneratedRegex(@"`([A-Za-z.]+)`")]
    private static partial Regex Property();

    // A comma between digits belongs to the number.
    [GeneratedRegex(@",(?![0-9]{3})\s*")]
    private static partial Regex Separator();

    [GeneratedRegex(@"^([0-9][0-9,.]*) ?(ms|s|min|h|days|KiB|MiB|GiB|)$")]
    private static partial Regex Quantity();
}

using System.Globalization;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client.Contract;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>
/// One caller reads the hundred entries of a dict whose keys begin with some number, one read at a time. The dict is filled once, in no
/// particular order of its keys.
/// </summary>
internal sealed class PrefixReads(ObjectBenchRun run, int entries) : ILoadShape
{
    private const int PerPrefix = 100;
    private const int PerUpdate = 500;
    // Has no divisor in common with the number of entries, so that its multiples visit each once.
    private const long Step = 1_000_003;

    private readonly string _name = run.NewName();
    private readonly Random _random = new(1);
    private bool _filled;

    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        await using var session = await run.Client.OpenSessionAsync("bench", cancellationToken: token);
        if (!_filled)
            await FillAsync(token);
        _filled = true;
        var dict = session.Dict(_name);
        var loop = new UnaryLoop(
            async (_, cancel) =>
            {
                var page = await dict.ReadPageAsync("", Key(_random.Next(entries / PerPrefix) * PerPrefix)[..^2], cancel);
                return page.Entries.Count == PerPrefix ? null : $"a page had {page.Entries.Count} entries, not {PerPrefix}";
            },
            clients: 1,
            inFlight: 1);
        return await loop.RunAsync(plan, token);
    }

    private static string Key(long number) => string.Create(CultureInfo.InvariantCulture, $"user-{number:D7}");

    private async Task FillAsync(CancellationToken token)
    {
        var value = Payloads.FromBytes(new byte[run.Settings.Size]);
        for (var i = 0; i < entries; i += PerUpdate)
        {
            var update = new UpdateDictRequest { Dict = _name };
            for (var j = i; j < Math.Min(entries, i + PerUpdate); j++)
                update.Edits.Add(new DictEdit { Key = Key(j * Step % entries), Set = value });
            await run.State.UpdateDictAsync(update, cancellationToken: token);
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using Orchestrator.App;
using Orchestrator.Client;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Guide;

/// <summary>What a row works with: a pool of its own kind, and the page that it writes.</summary>
/// <param name="row">The row.</param>
/// <param name="pool">A coordinator in this process, and its workers.</param>
/// <param name="print">Where a line goes.</param>
/// <param name="token">Fires at Ctrl-C, and where the row takes too long.</param>
internal sealed class GuideContext(GuideRow row, IOrchestratorPool pool, Action<string> print, CancellationToken token)
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(5);

    private readonly List<GuideClaim> _claims = [];

    public IOrchestratorPool Pool => pool;

    public OrchestratorClient Client => pool.Client;

    public CancellationToken Token => token;

    /// <summary>What was claimed so far.</summary>
    public IReadOnlyList<GuideClaim> Claims => _claims;

    /// <summary>Says what happens or why.</summary>
    public void Say(string text) => print("  " + text);

    /// <summary>Claims something that was just seen. One claim that does not hold fails the row.</summary>
    public void Shows(string claim, bool holds)
    {
        _claims.Add(new GuideClaim(claim, holds));
        print($"  {(holds ? "✓" : "✗ NOT SO:")} {claim}");
    }

    /// <summary>The name of a shared object that is this row's alone.</summary>
    public string Name(string name) => $"guide/{row.Name}/{name}";

    /// <summary>A session of this process, beside those that every task has by itself.</summary>
    public Task<CoordinationSession> OpenSessionAsync(string displayName = "guide") => Client.OpenSessionAsync(displayName, cancellationToken: token);

    /// <summary>Another client of the same coordinator, as another program would have it.</summary>
    public Task<OrchestratorClient> ConnectAsync(bool detachOnDisconnect = true) => OrchestratorClient.ConnectAsync(
        new OrchestratorClientOptions { Endpoint = Client.Address.ToString(), Token = Client.Token, DetachOnDisconnect = detachOnDisconnect }, token);

    public Task PauseAsync(int milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, token);

    /// <summary>Looks again and again until something is so. Nothing here relies on how long anything takes.</summary>
    public async Task UntilAsync(Func<Task<bool>> isSo)
    {
        while (!await isSo())
            await Task.Delay(s_poll, TimeProvider.System, token);
    }

    /// <summary>Until so many wait at a lock, an event, a barrier or the like.</summary>
    /// <param name="waitable">Its kind and its name, such as <c>locks/a</c>.</param>
    /// <param name="count">How many.</param>
    public Task UntilWaitersAsync(string waitable, int count) => UntilAsync(async () =>
        (await Client.ListSyncAsync(token)).Any(item => item.Object == waitable && item.Waiters.Count >= count));

    public static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started);
    }

    public static string Show(TimeSpan time) => Format.Time(time);

    public static string Show(double number) => Format.Number(number);

    public static string List<T>(IEnumerable<T> items) =>
        string.Join(", ", items.Select(item => string.Format(CultureInfo.InvariantCulture, "{0}", item)));

    /// <summary>How often one time goes into another.</summary>
    public static string Ratio(TimeSpan slow, TimeSpan fast) => Format.Number(slow / fast) + " ×";
}

/// <summary>What a row claims, and whether it was so.</summary>
internal sealed record GuideClaim(string Text, bool Holds);

/// <summary>A row cannot be run on this machine; the message says what is missing.</summary>
internal sealed class GuideSkippedException(string message) : Exception(message);

using System.Diagnostics;
using System.Globalization;
using Orchestrator.App;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Objects;

namespace Orchestrator.Cli.Guide;

/// <summary>The context of a row: the pool and the output.</summary>
/// <param name="row">The row.</param>
/// <param name="pool">A coordinator in this process, and its workers.</param>
/// <param name="print">Prints a line.</param>
/// <param name="token">Fires at Ctrl-C, and if the row takes too long.</param>
internal sealed class GuideContext(GuideRow row, IOrchestratorPool pool, Action<string> print, CancellationToken token)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);

    private readonly List<GuideClaim> _claims = [];

    public IOrchestratorPool Pool => pool;

    // With its address and its token, for rows that connect once more.
    public OrchestratorClient Client => (OrchestratorClient)pool.Client;

    public CancellationToken Token => token;

    /// <summary>The claims so far.</summary>
    public IReadOnlyList<GuideClaim> Claims => _claims;

    /// <summary>Prints an explanation.</summary>
    public void Say(string text) => print("  " + text);

    /// <summary>States a claim about an observation. A claim that does not hold fails the row.</summary>
    public void Shows(string claim, bool holds)
    {
        _claims.Add(new GuideClaim(claim, holds));
        print($"  {(holds ? "✓" : "✗ NOT SO:")} {claim}");
    }

    /// <summary>The name of a shared object, unique to this row.</summary>
    public string Name(string name) => $"guide/{row.Name}/{name}";

    /// <summary>A session of this process, in addition to the session that every task has.</summary>
    public Task<CoordinationSession> OpenSessionAsync(string displayName = "guide") =>
        Client.OpenSessionAsync(displayName, cancellationToken: token);

    /// <summary>Another client of the same coordinator, as in another program.</summary>
    public Task<OrchestratorClient> ConnectAsync(bool detachOnDisconnect = true) => OrchestratorClient.ConnectAsync(
        new OrchestratorClientOptions
        {
            Endpoint = Client.Address.ToString(),
            Token = Client.Token,
            DetachOnDisconnect = detachOnDisconnect
        }, token);

    public Task PauseAsync(int milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, token);

    /// <summary>Polls until a condition holds. The guide does not rely on timing.</summary>
    public async Task UntilAsync(Func<Task<bool>> isSo)
    {
        while (!await isSo())
            await Task.Delay(Poll, TimeProvider.System, token);
    }

    /// <summary>Waits until this many waiters are at a lock, an event, a barrier or the like.</summary>
    /// <param name="waitable">Its kind and its name, such as <c>locks/a</c>.</param>
    /// <param name="count">The number of waiters.</param>
    public Task UntilWaitersAsync(string waitable, int count) => UntilAsync(async () =>
        (await Client.Contract.ListSyncAsync(token)).Any(item => item.Object == waitable && item.Waiters.Count >= count));

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

    /// <summary>The ratio of two times.</summary>
    public static string Ratio(TimeSpan slow, TimeSpan fast) => Format.Number(slow / fast) + " ×";
}

/// <summary>A row's claim, and whether it holds.</summary>
internal sealed record GuideClaim(string Text, bool Holds);

/// <summary>A row cannot be run on this machine; the message says what is missing.</summary>
internal sealed class GuideSkippedException(string message) : Exception(message);

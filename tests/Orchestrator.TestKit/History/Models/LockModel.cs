using System.Globalization;

namespace Orchestrator.TestKit.History;

/// <summary>The holder of a lock, and the last known token.</summary>
public sealed record LockState(string? Holder, ulong Token);

/// <summary>A plain lock whose every grant has a larger token than the last.</summary>
public sealed class LockModel : HistoryModel<LockState>
{
    /// <summary>Result: the fencing token or <see cref="Timeout"/>.</summary>
    public const string Acquire = "acquire";

    /// <summary>Result: <see cref="Ok"/>.</summary>
    public const string Release = "release";

    /// <summary>It succeeded.</summary>
    public const string Ok = "ok";

    /// <summary>Another client held it all the time.</summary>
    public const string Timeout = "timeout";

    /// <inheritdoc/>
    public override LockState Initial => new(null, 0);

    /// <inheritdoc/>
    public override IEnumerable<LockState> Apply(LockState state, HistoryOperation operation) => operation.Kind switch
    {
        Acquire when operation.Result == Timeout => state.Holder is null ? [] : [state],
        // An unobserved token is at least one more than the last.
        Acquire when operation.IsUnknown => state.Holder is null ? [new LockState(operation.Client, state.Token + 1)] : [],
        Acquire => state.Holder is null && Token(operation) is var token && token > state.Token
            ? [new LockState(operation.Client, token)] : [],
        Release => state.Holder == operation.Client ? [state with { Holder = null }] : [],
        HistoryOperation.SessionEnd => [state.Holder == operation.Client ? state with { Holder = null } : state],
        _ => throw new ArgumentException($"a lock has no operation {operation.Kind}", nameof(operation)),
    };

    /// <inheritdoc/>
    public override bool IsReadOnly(HistoryOperation operation) => operation.Result == Timeout;

    /// <inheritdoc/>
    public override int Holds(HistoryOperation operation) => operation.Kind switch
    {
        Acquire => operation.Result == Timeout ? 0 : 1,
        Release => operation.IsUnknown ? 0 : -1,
        _ => 0,
    };

    private static ulong Token(HistoryOperation operation) => ulong.Parse(operation.Result!, CultureInfo.InvariantCulture);
}

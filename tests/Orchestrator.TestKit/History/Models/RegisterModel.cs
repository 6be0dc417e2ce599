using System.Globalization;

namespace Orchestrator.TestKit.History;

/// <summary>A dict's one entry, and the dict's version.</summary>
public sealed record RegisterState(string Value, ulong Version);

/// <summary>An entry of a dict that is set with a guard on the version, or without one.</summary>
public sealed class RegisterModel : HistoryModel<RegisterState>
{
    /// <summary>Result: the value, <c>@</c> and the version; see <see cref="Show"/>.</summary>
    public const string Read = "read";

    /// <summary>Argument: the value. Result: the new version.</summary>
    public const string Set = "set";

    /// <summary>Argument: the new value, <c>@</c> and the expected version. Result: the new version or <see cref="Stale"/>.</summary>
    public const string CompareAndSet = "compare-and-set";

    /// <summary>The version was another.</summary>
    public const string Stale = "stale";

    /// <summary>A value and a version as one text.</summary>
    public static string Show(string value, ulong version) => string.Create(CultureInfo.InvariantCulture, $"{value}@{version}");

    /// <inheritdoc/>
    public override RegisterState Initial => new("", 0);

    /// <inheritdoc/>
    public override IEnumerable<RegisterState> Apply(RegisterState state, HistoryOperation operation)
    {
        switch (operation.Kind)
        {
            case Read:
                return operation.IsUnknown || operation.Result == Show(state.Value, state.Version) ? [state] : [];
            case Set:
                return Change(state, operation, operation.Argument);
            case CompareAndSet:
                var at = operation.Argument.LastIndexOf('@');
                var isExpected = operation.Argument[(at + 1)..] == state.Version.ToString(CultureInfo.InvariantCulture);
                if (operation.Result == Stale)
                    return isExpected ? [] : [state];
                return isExpected ? Change(state, operation, operation.Argument[..at]) : [];
            case HistoryOperation.SessionEnd:
                return [state];
            default:
                throw new ArgumentException($"a register has no operation {operation.Kind}", nameof(operation));
        }
    }

    /// <inheritdoc/>
    public override bool IsReadOnly(HistoryOperation operation) => operation.Kind == Read || operation.Result == Stale;

    /// <inheritdoc/>
    public override int Holds(HistoryOperation operation) => 0;

    private static IEnumerable<RegisterState> Change(RegisterState state, HistoryOperation operation, string value)
    {
        var next = new RegisterState(value, state.Version + 1);
        return operation.IsUnknown || operation.Result == next.Version.ToString(CultureInfo.InvariantCulture) ? [next] : [];
    }
}

using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>
/// Edits parts of JSON values; only the host knows their format. Pure: the same arguments give the same value, which is a new one, since
/// others may have read the old one.
/// </summary>
public interface IValueEditor
{
    /// <summary>Adds to a number.</summary>
    /// <param name="value">The number; null, for a missing entry, counts as 0.</param>
    /// <param name="amount">What to add.</param>
    ValueEdit Add(Content? value, double amount);

    /// <summary>Sets what is at a path inside, such as <c>a.b[2]</c>.</summary>
    /// <param name="value">The value to change inside; null for a missing entry.</param>
    /// <param name="path">Where.</param>
    /// <param name="element">The new value there.</param>
    ValueEdit SetPath(Content? value, string path, Content element);

    /// <summary>Appends to an array.</summary>
    /// <param name="value">The array; null, for a missing entry, counts as an empty one.</param>
    /// <param name="element">What to append.</param>
    ValueEdit Append(Content? value, Content element);
}

/// <summary>The result of editing a value.</summary>
public readonly record struct ValueEdit
{
    private ValueEdit(Content value, string? error)
    {
        Value = value;
        Error = error;
    }

    /// <summary>The new value; undefined after an error.</summary>
    public Content Value { get; }

    /// <summary>Why it cannot be done, for people; null when it was.</summary>
    public string? Error { get; }

    /// <summary>It was done.</summary>
    public static ValueEdit Done(Content value) => new(value, null);

    /// <summary>It cannot be done: as in "the value at a.b is a string, not a list".</summary>
    public static ValueEdit Refused(string error) => new(default, error);
}

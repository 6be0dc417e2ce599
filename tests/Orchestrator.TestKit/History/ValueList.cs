using System.Collections.Immutable;

namespace Orchestrator.TestKit.History;

/// <summary>An immutable list that equals another with the same elements.</summary>
public sealed class ValueList<T> : IEquatable<ValueList<T>>
    where T : notnull
{
    private readonly int _hash;

    internal ValueList(ImmutableArray<T> items)
    {
        Items = items;
        var hash = default(HashCode);
        foreach (var item in items)
            hash.Add(item);
        _hash = hash.ToHashCode();
    }

    /// <summary>The elements.</summary>
    public ImmutableArray<T> Items { get; }

    /// <summary>How many.</summary>
    public int Count => Items.Length;

    /// <summary>With one more at the end.</summary>
    public ValueList<T> Add(T item) => new(Items.Add(item));

    /// <summary>Without the one at this index.</summary>
    public ValueList<T> RemoveAt(int index) => new(Items.RemoveAt(index));

    /// <summary>With another at this index.</summary>
    public ValueList<T> With(int index, T item) => new(Items.SetItem(index, item));

    /// <summary>With every element replaced.</summary>
    public ValueList<T> Select(Func<T, T> change) => new([.. Items.AsEnumerable().Select(change)]);

    /// <summary>Without the elements that match.</summary>
    public ValueList<T> Without(Predicate<T> leaves) => new(Items.RemoveAll(leaves));

    /// <summary>The index of the first element that matches; −1 without a match.</summary>
    public int FindIndex(Func<T, bool> isIt)
    {
        for (var i = 0; i < Items.Length; i++)
        {
            if (isIt(Items[i]))
                return i;
        }

        return -1;
    }

    /// <inheritdoc/>
    public bool Equals(ValueList<T>? other) =>
        other is not null && _hash == other._hash && Items.AsSpan().SequenceEqual(other.Items.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", Items)}]";
}

/// <summary>Creates value lists.</summary>
public static class ValueList
{
    /// <summary>The empty list.</summary>
    public static ValueList<T> Empty<T>()
        where T : notnull => new([]);
}

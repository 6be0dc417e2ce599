using System.Buffers;
using System.Runtime.InteropServices;
using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>The objects of one kind by name.</summary>
internal sealed class ObjectMap<T>(ObjectKind kind, IPrimitiveContext context)
    where T : NamedObject
{
    // So many are listed without an order of their names, which would cost each object that comes or goes.
    private const int MaxScanned = 1_024;

    private readonly Dictionary<string, T> _objects = [];
    private NameOrder<T>? _order;

    public int Count => _objects.Count;

    public Dictionary<string, T>.ValueCollection All => _objects.Values;

    public T? Find(string name) => _objects.GetValueOrDefault(name);

    /// <summary>Why no object of this name can be created; null if one can.</summary>
    public ObjectError? ValidateNew(string name) => context.Quota.ValidateNew(kind, name);

    /// <summary>
    /// The first objects whose names come after this one, in ordinal order; none if the question has to be asked again
    /// (<see cref="IndexWork.IsUnfinished"/>).
    /// </summary>
    /// <param name="name">The name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    /// <param name="includes">Which to return; null for all.</param>
    public IReadOnlyList<T> After(string name, int maximum, Func<T, bool>? includes = null)
    {
        if (_order is null && Count <= MaxScanned)
            return NamePager.After(includes is null ? All : All.Where(includes), item => item.Name, name, maximum);
        _order ??= new NameOrder<T>(_objects, context.Contents);
        if (!_order.TryComplete(context.Indexing))
            return [];
        var following = _order.After(name);
        return [.. (includes is null ? following : following.Where(includes)).Take(maximum)];
    }

    public void Add(T item)
    {
        _objects.Add(item.Name, item);
        context.Quota.Add(item);
        if (_order is null)
            return;
        _order.OnAdded(item);
        DropUnusedOrder();
    }

    /// <summary>Drops the object; does nothing if it was dropped before, since another object may have its name by now.</summary>
    public void Drop(T item)
    {
        ref var found = ref CollectionsMarshal.GetValueRefOrNullRef(_objects, item.Name);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref found) || !ReferenceEquals(found, item))
            return;
        _objects.Remove(item.Name);
        context.Quota.Remove(item);
        if (_order is null)
            return;
        _order.OnDropped(item);
        DropUnusedOrder();
    }

    private void DropUnusedOrder()
    {
        if (!_order!.IsUnused)
            return;
        _order.Drop();
        _order = null;
    }
}

/// <summary>Bounds the number of objects of all kinds and validates their names.</summary>
internal sealed class ObjectQuota(int maximum, int maximumPerClient)
{
    private const int MaxNameLength = 128;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-");

    public int Count { get; private set; }

    /// <summary>The client that new objects are charged to at present.</summary>
    public ClientObjectQuota? Client { get; set; }

    public void Add(NamedObject item)
    {
        Count++;
        item.Client = Client;
        Client?.Objects += 1;
    }

    public void Remove(NamedObject item)
    {
        Count--;
        item.Client?.Objects -= 1;
    }

    public ObjectError? ValidateNew(ObjectKind kind, string name)
    {
        if (ValidateName(kind, name) is { } wrong)
            return wrong;
        if (Client is { } client && client.Objects >= maximumPerClient)
        {
            return new ObjectError(
                ObjectErrorReason.LimitExceeded,
                $"client {client.Name} has made {client.Objects} named objects, the most of one client (objects_per_client, " +
                $"{maximumPerClient}); delete some")
            {
                Field = kind.Field(),
                Subject = client.Name,
            };
        }

        return Count < maximum
            ? null
            : new ObjectError(ObjectErrorReason.LimitExceeded, $"there are {Count} named objects, the most that may exist; delete some")
            {
                Field = kind.Field(),
            };
    }

    public static ObjectError? ValidateName(ObjectKind kind, string name)
    {
        if (name.Length is > 0 and <= MaxNameLength && !name.AsSpan().ContainsAnyExcept(NameCharacters))
            return null;
        return ObjectError.Invalid(
            kind.Field(),
            $"the {kind.Noun()} name \"{ObjectError.Shorten(name)}\" of {name.Length} characters must be 1 to {MaxNameLength} of A-Z a-z " +
            "0-9 . _ / -");
    }
}

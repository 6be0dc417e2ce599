using System.Buffers;
using System.Runtime.InteropServices;

namespace Orchestrator.Core.Kernel;

/// <summary>The objects of one kind by name.</summary>
internal sealed class ObjectMap<T>(ObjectKind kind, ObjectQuota quota)
    where T : NamedObject
{
    private readonly Dictionary<string, T> _objects = [];

    public int Count => _objects.Count;

    public Dictionary<string, T>.ValueCollection All => _objects.Values;

    public T? Find(string name) => _objects.GetValueOrDefault(name);

    /// <summary>Why no object of this name can be created; null if one can.</summary>
    public ObjectError? ValidateNew(string name) => quota.ValidateNew(kind, name);

    public void Add(T item)
    {
        _objects.Add(item.Name, item);
        quota.Add(item);
    }

    /// <summary>Drops the object; does nothing if it was dropped before, since another object may have its name by now.</summary>
    public void Drop(T item)
    {
        ref var found = ref CollectionsMarshal.GetValueRefOrNullRef(_objects, item.Name);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref found) || !ReferenceEquals(found, item))
            return;
        _objects.Remove(item.Name);
        quota.Remove(item);
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

using System.Globalization;
using Orchestrator.TestKit.History;

namespace Orchestrator.Integration.Tests.History;

/// <summary>The occasional fault of a broken implementation.</summary>
public enum Fault
{
    None,
    LosesAnItem,
    GivesAnItemTwice,
    GivesTheSecondItem,
    GrantsTwice,
    RepeatsAToken,
    GrantsOnePermitTooMany,
    LosesAnUpdate,
    ChangesInSpiteOfTheGuard,
    ReadsTheOldValue,
    AddsTwice,
    LosesAnAddition,
}

/// <summary>All the objects, small and in memory, with a fault that occurs at one in ten opportunities.</summary>
internal sealed class BrokenObject(Fault fault, int seed)
{
    public const int Capacity = 4;
    public const int Permits = 2;

    private readonly Random _random = new(seed);
    private readonly List<string> _items = [];
    private readonly List<string> _holders = [];
    private string? _owner;
    private ulong _token;
    private (string Value, ulong Version) _register = ("", 0);
    private (string Value, ulong Version) _before = ("", 0);
    private long _sum;

    /// <summary>Whether the fault has had a visible effect.</summary>
    public bool HasStruck { get; private set; }

    public string Apply(string client, string kind, string argument) => kind switch
    {
        QueueModel.Put => Put(argument),
        QueueModel.Get => Get(),
        LockModel.Acquire => Acquire(client),
        LockModel.Release => Release(),
        "permit" => TakePermit(client),
        "give back" => GivePermit(client),
        RegisterModel.CompareAndSet => CompareAndSet(argument),
        RegisterModel.Read => Read(),
        CounterModel.Add => Add(long.Parse(argument, CultureInfo.InvariantCulture)),
        _ => throw new ArgumentException($"no operation {kind}", nameof(kind)),
    };

    private bool Strikes(Fault which) => fault == which && _random.Next(10) == 0 && (HasStruck = true);

    private string Put(string item)
    {
        if (_items.Count == Capacity)
            return QueueModel.Full;
        if (!Strikes(Fault.LosesAnItem))
            _items.Add(item);
        return QueueModel.Ok;
    }

    private string Get()
    {
        if (_items.Count == 0)
            return QueueModel.Empty;
        var index = _items.Count > 1 && Strikes(Fault.GivesTheSecondItem) ? 1 : 0;
        var item = _items[index];
        if (!Strikes(Fault.GivesAnItemTwice))
            _items.RemoveAt(index);
        return item;
    }

    private string Acquire(string client)
    {
        if (_owner is not null && !Strikes(Fault.GrantsTwice))
            return LockModel.Timeout;
        _owner = client;
        if (_token == 0 || !Strikes(Fault.RepeatsAToken))
            _token++;
        return _token.ToString(CultureInfo.InvariantCulture);
    }

    private string Release()
    {
        _owner = null;
        return LockModel.Ok;
    }

    private string TakePermit(string client)
    {
        if (_holders.Count >= Permits && !Strikes(Fault.GrantsOnePermitTooMany))
            return SemaphoreModel.Timeout;
        _holders.Add(client);
        return SemaphoreModel.Ok;
    }

    private string GivePermit(string client)
    {
        _holders.Remove(client);
        return Math.Max(0, Permits - _holders.Count).ToString(CultureInfo.InvariantCulture);
    }

    private string CompareAndSet(string argument)
    {
        var at = argument.LastIndexOf('@');
        var isExpected = argument[(at + 1)..] == _register.Version.ToString(CultureInfo.InvariantCulture);
        if (!isExpected && !Strikes(Fault.ChangesInSpiteOfTheGuard))
            return RegisterModel.Stale;
        var next = (argument[..at], _register.Version + 1);
        if (!Strikes(Fault.LosesAnUpdate))
            (_before, _register) = (_register, next);
        return next.Item2.ToString(CultureInfo.InvariantCulture);
    }

    private string Read()
    {
        var (value, version) = _register.Version > 0 && Strikes(Fault.ReadsTheOldValue) ? _before : _register;
        return RegisterModel.Show(value, version);
    }

    private string Add(long amount)
    {
        var sum = _sum + amount;
        if (Strikes(Fault.AddsTwice))
            _sum += amount;
        _sum = Strikes(Fault.LosesAnAddition) ? _sum : _sum + amount;
        return sum.ToString(CultureInfo.InvariantCulture);
    }
}

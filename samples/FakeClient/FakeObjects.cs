using Orchestrator.Client.Objects;

namespace FakeClient;

/// <summary>A session whose lock is always free and whose queues are lists.</summary>
internal sealed class FakeSession : CoordinationSession
{
    /// <summary>What was put, by queue.</summary>
    public Dictionary<string, List<object?>> Items { get; } = [];

    /// <summary>The names of the locks that are held.</summary>
    public HashSet<string> Held { get; } = [];

    public override SharedLock Lock(string name) => new FreeLock(name, Held);

    public override SharedQueue<T> Queue<T>(string name, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T>? type = null)
    {
        if (!Items.TryGetValue(name, out var items))
            Items[name] = items = [];
        return new ListQueue<T>(name, items);
    }

    private sealed class FreeLock(string name, HashSet<string> held) : SharedLock(name)
    {
        public override Task<LockHold> AcquireAsync(CancellationToken cancellationToken = default)
        {
            held.Add(Name);
            return Task.FromResult<LockHold>(new FreeHold(Name, held));
        }
    }

    private sealed class FreeHold(string name, HashSet<string> held) : LockHold(name)
    {
        public override ValueTask DisposeAsync()
        {
            held.Remove(Name);
            return base.DisposeAsync();
        }
    }

    private sealed class ListQueue<T>(string name, List<object?> items) : SharedQueue<T>(name)
    {
        public override Task PutAsync(T body, long priority = 0, CancellationToken cancellationToken = default)
        {
            items.Add(body);
            return Task.CompletedTask;
        }
    }
}

using System.Collections.Concurrent;

namespace Orchestrator.Worker.Tasks;

/// <summary>One instance per type and process, for <see cref="TaskContext.GetLocal{T}"/>.</summary>
internal sealed class WorkerLocals : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Type, Lazy<object>> _instances = new();

    // A Lazy remembers its failure; the failed one is dropped, so that the next task may try again.
    public T Get<T>(Func<T> create)
        where T : class
    {
        var lazy = _instances.GetOrAdd(typeof(T), static (_, make) => new Lazy<object>(make), (Func<object>)create);
        try
        {
            return (T)lazy.Value;
        }
        catch
        {
            _instances.TryRemove(KeyValuePair.Create(typeof(T), lazy));
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var lazy in _instances.Values)
        {
            if (!lazy.IsValueCreated)
                continue;
            if (lazy.Value is IAsyncDisposable asynchronous)
                await asynchronous.DisposeAsync().ConfigureAwait(false);
            else
                (lazy.Value as IDisposable)?.Dispose();
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.TestKit.LockOrders;

/// <summary>
/// Acquires locks in random orders, by the unary calls, whose errors carry the cycle. Each acquisition is recorded with the stamps of the
/// machine's monotonic clock around its call and around its release.
/// </summary>
/// <param name="sync">The coordinator.</param>
/// <param name="session">The client's own session; no other client uses it.</param>
/// <param name="seed">Determines its choices.</param>
/// <param name="timeout">How long a wait may last before it counts as a hang.</param>
public sealed class LockOrderClient(SyncService.SyncServiceClient sync, string session, int seed, TimeSpan timeout)
{
    /// <summary>The number of locks to choose from.</summary>
    public const int Locks = 20;

    private const int MostOfAnOrder = 5;

    private readonly Random _random = new(seed);
    private readonly List<LockAttempt> _attempts = [];

    /// <summary>All acquisitions, including those rejected as deadlocks.</summary>
    public IReadOnlyList<LockAttempt> Attempts => _attempts;

    /// <summary>Acquires two or more locks in a random order and releases them; on a rejection it releases those that it holds.</summary>
    /// <returns>Whether it held all of them.</returns>
    public async Task<bool> RunOrderAsync()
    {
        var names = Enumerable.Range(0, Locks).ToArray();
        _random.Shuffle(names);
        var held = new List<LockAttempt>();
        try
        {
            foreach (var name in names.Take(_random.Next(2, MostOfAnOrder + 1)))
            {
                var attempt = await AcquireAsync(string.Create(CultureInfo.InvariantCulture, $"order-{name}"));
                _attempts.Add(attempt);
                if (attempt.Cycle is not null)
                    return false;
                held.Add(attempt);
            }

            return true;
        }
        finally
        {
            _random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(held));
            foreach (var attempt in held)
                await ReleaseAsync(attempt);
        }
    }

    private async Task<LockAttempt> AcquireAsync(string name)
    {
        var attempt = new LockAttempt { Session = SessionAlias.Of(session), Lock = name, Asked = Stopwatch.GetTimestamp() };
        try
        {
            var response = await sync.AcquireLockAsync(
                new AcquireLockRequest { Lock = name, SessionId = session }, deadline: DateTime.UtcNow + timeout);
            if (response.Status != WaitStatus.Ok)
                throw new InvalidOperationException($"a wait for {name} without a timeout ended {response.Status}");
        }
        catch (RpcException exception)
            when (exception.StatusCode == StatusCode.Aborted && exception.GetRpcStatus()?.GetDetail<DeadlockCycle>() is { } cycle)
        {
            attempt.Cycle = [.. cycle.Edges.Select(edge => new CycleEdge(edge.WaiterSession, edge.Object, edge.HolderSession))];
        }

        attempt.Answered = Stopwatch.GetTimestamp();
        return attempt;
    }

    private async Task ReleaseAsync(LockAttempt attempt)
    {
        await sync.ReleaseLockAsync(
            new ReleaseLockRequest { Lock = attempt.Lock, SessionId = session }, deadline: DateTime.UtcNow + timeout);
        attempt.Released = Stopwatch.GetTimestamp();
    }
}

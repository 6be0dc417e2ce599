using System.Globalization;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.TestKit.History;

/// <summary>One client that performs random operations on the shared objects, one at a time, and records them.</summary>
/// <param name="session">The client's session, which owns its holds.</param>
/// <param name="name">The client's name, as in the records.</param>
/// <param name="seed">Determines its choices, together with the responses.</param>
/// <param name="recorder">Where it records.</param>
public sealed class HistoryClient(CoordinationSession session, string name, int seed, HistoryRecorder recorder)
{
    private const string RegisterKey = "r";

    // The limit of a wait: a timeout is a result, never a failure.
    private static readonly TimeSpan s_wait = TimeSpan.FromMilliseconds(20);

    private readonly Random _random = new(seed);
    private int _items;
    private ulong _version;

    /// <summary>Does this many steps, each of one or a few operations.</summary>
    public async Task RunAsync(int steps, CancellationToken cancellationToken)
    {
        for (var i = 0; i < steps && !cancellationToken.IsCancellationRequested; i++)
        {
            await (_random.Next(7) switch
            {
                0 or 1 => _random.Next(2) == 0 ? PutAsync(SharedObjects.Queue) : GetAsync(s_wait),
                2 or 3 => _random.Next(2) == 0 ? PutAsync(SharedObjects.LeasedQueue) : LeaseAsync(s_wait),
                4 => UnderLockAsync(s_wait),
                5 => WithPermitAsync(s_wait),
                _ => ChangeStateAsync(),
            });
        }
    }

    /// <summary>Runs last, when no other client is active: empties the queues, takes what can be held, reads what can be read.</summary>
    public async Task FinishAsync()
    {
        while (await GetAsync(TimeSpan.Zero))
        {
        }

        while (await LeaseAsync(TimeSpan.Zero, alwaysDone: true))
        {
        }

        await UnderLockAsync(TimeSpan.Zero);
        var permits = 0;
        while (await AcquirePermitAsync(TimeSpan.Zero))
            permits++;
        for (; permits > 0; permits--)
            await ReleasePermitAsync();
        await ReadRegisterAsync();
        await ReadCounterAsync();
    }

    private async Task PutAsync(string queue)
    {
        var item = string.Create(CultureInfo.InvariantCulture, $"{name}.{++_items}");
        await recorder.RecordAsync(
            queue,
            QueueModel.Put,
            item,
            () => session.Queue(queue).TryPutAsync(Payloads.FromJson($"\"{item}\""), s_wait),
            isIn => isIn ? QueueModel.Ok : QueueModel.Full);
    }

    private async Task<bool> GetAsync(TimeSpan timeout) => await recorder.RecordAsync(
        SharedObjects.Queue,
        QueueModel.Get,
        "",
        () => session.Queue(SharedObjects.Queue).TryGetAsync(timeout),
        item => item?.Json.StringValue ?? QueueModel.Empty) is not null;

    private async Task<bool> LeaseAsync(TimeSpan timeout, bool alwaysDone = false)
    {
        var item = await recorder.RecordAsync(
            SharedObjects.LeasedQueue,
            QueueModel.Lease,
            "",
            () => session.Queue(SharedObjects.LeasedQueue).TryLeaseAsync(timeout),
            leased => leased?.Body.Json.StringValue ?? QueueModel.Empty);
        if (item is null)
            return false;
        var value = item.Body.Json.StringValue;
        if (!alwaysDone)
            await ChangeStateAsync();
        if (alwaysDone || _random.Next(3) > 0)
        {
            await recorder.RecordAsync(
                SharedObjects.LeasedQueue, QueueModel.Done, value, () => item.CompleteAsync(), isDone => isDone
                    ? QueueModel.Ok : QueueModel.Stale);
            return true;
        }

        await recorder.RecordAsync(
            SharedObjects.LeasedQueue,
            QueueModel.Return,
            value,
            async () =>
            {
                await item.DisposeAsync();
                return true;
            },
            _ => QueueModel.Ok);
        return true;
    }

    private async Task UnderLockAsync(TimeSpan timeout)
    {
        var hold = await recorder.RecordAsync(
            SharedObjects.Lock,
            LockModel.Acquire,
            "",
            () => session.Lock(SharedObjects.Lock).TryAcquireAsync(timeout),
            granted => granted?.FencingToken.ToString(CultureInfo.InvariantCulture) ?? LockModel.Timeout);
        if (hold is null)
            return;
        await ChangeStateAsync();
        await recorder.RecordAsync(
            SharedObjects.Lock,
            LockModel.Release,
            "",
            async () =>
            {
                // Disposing would not wait: others may find the lock held for a while longer.
                await hold.ReleaseAsync();
                return true;
            },
            _ => LockModel.Ok);
    }

    private async Task WithPermitAsync(TimeSpan timeout)
    {
        if (!await AcquirePermitAsync(timeout))
            return;
        await ChangeStateAsync();
        await ReleasePermitAsync();
    }

    private async Task<bool> AcquirePermitAsync(TimeSpan timeout) => await recorder.RecordAsync(
        SharedObjects.Semaphore,
        SemaphoreModel.Acquire,
        "",
        () => Semaphore.TryAcquireAsync(timeout),
        granted => granted is null ? SemaphoreModel.Timeout : SemaphoreModel.Ok) is not null;

    private async Task ReleasePermitAsync() => await recorder.RecordAsync(
        SharedObjects.Semaphore, SemaphoreModel.Release, "", () => Semaphore.ReleaseAsync(),
        free => free.ToString(CultureInfo.InvariantCulture));

    private SharedSemaphore Semaphore => session.Semaphore(SharedObjects.Semaphore, SharedObjects.Permits, bounded: true);

    private Task ChangeStateAsync() => _random.Next(6) switch
    {
        0 => ReadRegisterAsync(),
        1 => SetRegisterAsync(),
        2 => CompareAndSetAsync(),
        3 => ReadCounterAsync(),
        _ => AddAsync(_random.Next(1, 100)),
    };

    private async Task ReadRegisterAsync()
    {
        var page = await recorder.RecordAsync(
            SharedObjects.Register,
            RegisterModel.Read,
            "",
            () => session.Dict(SharedObjects.Register).ReadPageAsync(),
            read => RegisterModel.Show(read.Entries.SingleOrDefault()?.Value.Json.StringValue ?? "", read.Version));
        _version = page.Version;
    }

    private async Task SetRegisterAsync()
    {
        var value = string.Create(CultureInfo.InvariantCulture, $"{name}.{++_items}");
        var response = await recorder.RecordAsync(
            SharedObjects.Register, RegisterModel.Set, value, () => UpdateAsync(value, null), changed => Text(changed!.Version));
        _version = response!.Version;
    }

    private async Task CompareAndSetAsync()
    {
        var value = string.Create(CultureInfo.InvariantCulture, $"{name}.{++_items}");
        var response = await recorder.RecordAsync(
            SharedObjects.Register,
            RegisterModel.CompareAndSet,
            RegisterModel.Show(value, _version),
            () => UpdateAsync(value, new Guard { ExpectedVersion = _version }),
            changed => changed is null ? RegisterModel.Stale : Text(changed.Version));
        _version = response?.Version ?? _version;
    }

    private async Task<UpdateDictResponse?> UpdateAsync(string value, Guard? guard)
    {
        try
        {
            return await session.Dict(SharedObjects.Register).UpdateAsync(
                [new DictEdit { Key = RegisterKey, Set = Payloads.FromJson($"\"{value}\"") }], guard);
        }
        catch (OrchestratorException exception) when (exception.Reason == FailureReason.Stale)
        {
            return null;
        }
    }

    private async Task AddAsync(int amount) => await recorder.RecordAsync(
        SharedObjects.Counter,
        CounterModel.Add,
        amount.ToString(CultureInfo.InvariantCulture),
        () => session.Value(SharedObjects.Counter).AddAsync(amount),
        sum => sum.ToString(CultureInfo.InvariantCulture));

    private async Task ReadCounterAsync() => await recorder.RecordAsync(
        SharedObjects.Counter,
        CounterModel.Read,
        "",
        () => session.Value(SharedObjects.Counter).ReadAsync(),
        number => (number ?? 0).ToString(CultureInfo.InvariantCulture));

    private static string Text(ulong version) => version.ToString(CultureInfo.InvariantCulture);
}

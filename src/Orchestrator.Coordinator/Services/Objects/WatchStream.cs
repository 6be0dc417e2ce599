using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;
using Orchestrator.Protocol;
using Orchestrator.V1;
using ArrayEdit = Orchestrator.V1.ArrayEdit;
using ListEdit = Orchestrator.V1.ListEdit;
using NumberEdit = Orchestrator.V1.NumberEdit;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>
/// One watch: reads the object's history from its current version, writes the changes, and waits when there are none. The watch buffers
/// nothing; it is ended if it falls behind the history while its client does not read.
/// </summary>
internal sealed class WatchStream(
    ObjectEngineHost host, ClientObjectQuota client, StateOptions options, WatchStateRequest request,
    IServerStreamWriter<WatchStateResponse> responses)
{
    private readonly ObjectKind _kind = StateOperations.ToKind(request.Kind);
    private ulong _known = request.AfterVersion;

    public async Task RunAsync(CancellationToken ending)
    {
        if (request.KeyPrefix.Length > 0 && _kind != ObjectKind.Dict)
            throw RpcErrors.Invalid("key_prefix", "a key_prefix is for dicts; other objects have no keys");
        for (var begun = false; ; begun = true)
        {
            // Also rejects an invalid kind or name.
            await ObjectCall.RunAsync<StateChangedOutcome>(
                host, new AwaitStateChange(_kind, request.Name, _known) { Client = client }, "", ending);
            await CatchUpAsync(begun, ending);
        }
    }

    private async Task CatchUpAsync(bool begun, CancellationToken ending)
    {
        while (true)
        {
            var changes = host.Read(
                (view, _) => view.ReadChanges(_kind, request.Name, _known, ProtocolConstants.MaxItemsPerMessage, request.KeyPrefix));
            if (!changes.Exists)
            {
                if (_known > 0)
                    await responses.WriteAsync(new WatchStateResponse { Deleted = true }, ending);
                _known = 0;
                return;
            }

            if (changes is { NeedsSnapshot: true, IsOtherObject: false } && begun
                && changes.Version > _known + (ulong)options.HistoryChanges)
            {
                throw RpcErrors.Create(
                    ErrorReason.LimitExceeded,
                    $"this watch was read too slowly: it is at version {_known}, and the object at {changes.Version}, of which the last " +
                    $"{options.HistoryChanges} changes are kept; watch again for a snapshot");
            }

            if (changes.NeedsSnapshot)
            {
                await SnapshotAsync(ending);
                continue;
            }

            foreach (var change in changes.Changes)
                await responses.WriteAsync(ToMessage(change), ending);
            _known = changes.ReadTo;
            if (_known == changes.Version)
                return;
        }
    }

    private async Task SnapshotAsync(CancellationToken ending)
    {
        var state = host.Read((view, now) => _kind switch
        {
            ObjectKind.Dict => view.ReadDict(new DictQuery(request.Name) { KeyPrefix = request.KeyPrefix }, now),
            ObjectKind.List => view.ReadList(request.Name, 0, 0),
            ObjectKind.Value => view.ReadValue(request.Name),
            _ => view.ReadArray(request.Name, 0, 0),
        });
        await responses.WriteAsync(new WatchStateResponse { Snapshot = true }, ending);
        var messages = Describe(state, out var version);
        foreach (var message in messages)
        {
            message.Snapshot = true;
            await responses.WriteAsync(message, ending);
        }

        await responses.WriteAsync(new WatchStateResponse { Snapshot = true, Version = version }, ending);
        _known = version;
    }

    private static IEnumerable<WatchStateResponse> Describe(ObjectOutcome state, out ulong version)
    {
        switch (state)
        {
            case DictPage page:
                version = page.Version;
                return page.Entries.Select(entry => new WatchStateResponse { DictSet = StateOperations.ToMessage(entry) });
            case ListPage page:
                version = page.Version;
                return page.Values.Select(
                    value => new WatchStateResponse { ListEdit = new ListEdit { Append = PayloadMapper.ToPayload(value) } });
            case ValueReading reading:
                version = reading.Version;
                return reading.Current is { } current ? [new WatchStateResponse { Value = NumberMapper.ToMessage(current) }] : [];
            case ArrayPage page:
                version = page.Version;
                return page.Values
                    .Select((number, index) => (number, index))
                    .Where(item => item.number.IsReal ? item.number.Real != 0 : item.number.Whole != 0)
                    .Select(item => Element(item.index, item.number))
                    .Prepend(new WatchStateResponse { ArrayLength = page.Length });
            default:
                throw RpcErrors.From((ObjectError)state);
        }
    }

    private static WatchStateResponse ToMessage(StateChange change)
    {
        var message = change switch
        {
            DictEntrySet set => new WatchStateResponse
            {
                DictSet =
                new DictEntry { Key = set.Key, Value = PayloadMapper.ToPayload(set.Value), Version = set.Version }
            },
            DictEntryDeleted deleted => new WatchStateResponse { DictDeletedKey = deleted.Key },
            ListEdited edited => new WatchStateResponse { ListEdit = StateOperations.ToMessage(edited.Edit) },
            ValueChanged changed => new WatchStateResponse { Value = NumberMapper.ToMessage(changed.Current) },
            ArrayElementChanged element => Element(element.Index, element.Current),
            ArrayCreated created => new WatchStateResponse { ArrayLength = created.Length },
            _ => throw new InvalidOperationException($"{change.GetType().Name} is no change that a watch shows"),
        };
        message.Version = change.Version;
        return message;
    }

    private static WatchStateResponse Element(long index, Core.State.Number number) =>
        new() { ArrayEdit = new ArrayEdit { Index = index, Edit = new NumberEdit { Set = NumberMapper.ToMessage(number) } } };
}

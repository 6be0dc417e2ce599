using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.State;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary><c>StateService</c>: each update is one command, each read one query.</summary>
internal sealed class StateServiceAdapter(ObjectEngineHost host, ObjectStreams streams, ObjectEngineOptions options)
    : StateService.StateServiceBase
{
    public override async Task<UpdateDictResponse> UpdateDict(UpdateDictRequest request, ServerCallContext context) =>
        StateOperations.ToResponse(await host.RunAsync<UpdateDictOutcome>(StateOperations.ToCommand(request), request.SessionId, context));

    public override Task<ReadDictResponse> ReadDict(ReadDictRequest request, ServerCallContext context) =>
        Task.FromResult(StateReads.ToResponse(Ask<DictPage>((view, now) => StateReads.Read(view, request, now))));

    public override async Task<UpdateListResponse> UpdateList(UpdateListRequest request, ServerCallContext context) =>
        StateOperations.ToResponse(await host.RunAsync<UpdateListOutcome>(StateOperations.ToCommand(request), request.SessionId, context));

    public override Task<ReadListResponse> ReadList(ReadListRequest request, ServerCallContext context) =>
        Task.FromResult(StateReads.ToResponse(Ask<ListPage>((view, _) => StateReads.Read(view, request))));

    public override async Task<UpdateValueResponse> UpdateValue(UpdateValueRequest request, ServerCallContext context) =>
        StateOperations.ToResponse(await host.RunAsync<UpdateValueOutcome>(StateOperations.ToCommand(request), request.SessionId, context));

    public override Task<ReadValueResponse> ReadValue(ReadValueRequest request, ServerCallContext context) =>
        Task.FromResult(StateReads.ToResponse(Ask<ValueReading>((view, _) => StateReads.Read(view, request))));

    public override async Task<UpdateArrayResponse> UpdateArray(UpdateArrayRequest request, ServerCallContext context) =>
        StateOperations.ToResponse(await host.RunAsync<UpdateArrayOutcome>(StateOperations.ToCommand(request), request.SessionId, context));

    public override Task<ReadArrayResponse> ReadArray(ReadArrayRequest request, ServerCallContext context) =>
        Task.FromResult(StateReads.ToResponse(Ask<ArrayPage>((view, _) => StateReads.Read(view, request))));

    public override Task<ListStateResponse> ListState(ListStateRequest request, ServerCallContext context)
    {
        var size = PayloadMapper.PageSize(request.PageSize);
        if (request.Kind is < StateKind.Unspecified or > StateKind.Array)
            throw RpcErrors.Invalid(
                "kind", $"{(int)request.Kind} is no StateKind; it must be DICT (1), LIST (2), VALUE (3) or ARRAY (4), or absent for all");
        ObjectKind? kind = request.Kind == StateKind.Unspecified ? null : StateOperations.ToKind(request.Kind);
        var objects = host.Read((view, _) => view.ListState(kind, request.PageToken, size + 1));
        var messages = objects.Select(StateOperations.ToMessage).ToArray();
        var fitting = Pages.Fitting(messages, size);
        return Task.FromResult(new ListStateResponse
        {
            Objects = { messages.Take(fitting) },
            NextPageToken = messages.Length > fitting ? objects[fitting - 1].QualifiedName : "",
        });
    }

    public override async Task<DeleteStateResponse> DeleteState(DeleteStateRequest request, ServerCallContext context)
    {
        await host.RunAsync<Done>(StateOperations.ToCommand(request), "", context);
        return new DeleteStateResponse();
    }

    public override Task WatchState(
        WatchStateRequest request, IServerStreamWriter<WatchStateResponse> responseStream, ServerCallContext context) =>
        streams.RunAsync(context, new WatchStream(host, ClientQuota.Of(context).Objects, options.State, request, responseStream).RunAsync);

    private T Ask<T>(Func<ObjectEngineView, TimeSpan, ObjectOutcome> read)
        where T : ObjectOutcome => host.Read(read) switch
        {
            T answer => answer,
            var other => throw RpcErrors.From((ObjectError)other),
        };
}

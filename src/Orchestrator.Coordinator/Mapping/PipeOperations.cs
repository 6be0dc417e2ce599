using Orchestrator.Core.Pipes;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts requests of <c>PipeService</c> to commands, and outcomes to responses.</summary>
internal static class PipeOperations
{
    public static CreatePipe ToCommand(V1.CreatePipeRequest request)
    {
        var spec = request.Spec ?? throw RequestValidationException.Invalid("spec", "spec is missing; it must describe the pipe");
        return new CreatePipe(
            new PipeSpec(spec.Name, spec.Duplex) { MaxMessages = spec.MaxMessages, MaxBytes = spec.MaxBytes, Direct = spec.Direct });
    }

    public static V1.CreatePipeResponse ToResponse(CreatePipeOutcome outcome) => new() { Pipe = ToMessage(outcome.Pipe) };

    public static SendMessages ToCommand(V1.SendRequest request) =>
        new(request.Pipe, ToEnd(request.End), PayloadMapper.ToContents(request.Messages, "messages"))
        {
            Timeout = ProtoTime.ToTimeSpan(request.Timeout),
            RequestId = PayloadMapper.RequestId(request.RequestId),
        };

    public static V1.SendResponse ToResponse(SendOutcome outcome) =>
        new() { Status = (V1.PipeStatus)(int)outcome.Status, Sent = outcome.Sent };

    public static ReceiveMessages ToCommand(V1.ReceiveRequest request) =>
        new(request.Pipe, ToEnd(request.End), Math.Min(request.MaxMessages, PayloadMapper.MaxItems))
        {
            MaxBytes = PayloadMapper.MaxBytes,
            Peek = request.Peek,
            Timeout = ProtoTime.ToTimeSpan(request.Timeout),
            RequestId = PayloadMapper.RequestId(request.RequestId),
        };

    public static V1.ReceiveResponse ToResponse(ReceiveOutcome outcome)
    {
        var response = new V1.ReceiveResponse { Status = (V1.PipeStatus)(int)outcome.Status, Available = outcome.Available };
        foreach (var message in outcome.Messages)
            response.Messages.Add(PayloadMapper.ToPayload(message));
        return response;
    }

    public static ClosePipeEnd ToCommand(V1.ClosePipeEndRequest request) =>
        new(request.Pipe, ToEnd(request.End)) { RequestId = PayloadMapper.RequestId(request.RequestId) };

    public static PipeEnd ToEnd(V1.PipeEnd end) => (PipeEnd)PayloadMapper.Narrow((int)end);

    public static V1.PipeInfo ToMessage(PipeInfo info) => new()
    {
        Spec = new V1.PipeSpec
        {
            Name = info.Spec.Name,
            Duplex = info.Spec.Duplex,
            MaxMessages = info.Spec.MaxMessages,
            MaxBytes = info.Spec.MaxBytes,
            Direct = info.Spec.Direct,
        },
        BufferedToA = info.A.Buffered,
        BufferedToB = info.B.Buffered,
        AAttached = info.A.IsAttached,
        BAttached = info.B.IsAttached,
        AClosed = info.A.IsClosed,
        BClosed = info.B.IsClosed,
        Owner = info.Owner,
    };
}

using Google.Protobuf;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services;

/// <summary>Converts received task specs to the engine's submissions.</summary>
internal sealed class SubmissionReader(TaskPolicyMapper policies, ObjectEngineHost objects, TaskEngineOptions engine)
{
    private readonly NameTable _handlers = new();

    /// <summary>Reads one spec; adds its faults to <paramref name="violations"/>.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="defaults">The options of one without any.</param>
    /// <param name="traceOfCall">The trace context of the call, if it has one.</param>
    /// <param name="field">The path of the spec in the request.</param>
    /// <param name="violations">Gets its faults.</param>
    public TaskSubmission Read(
        RawTaskSpec spec, TaskPolicy? defaults, string? traceOfCall, string field, ref List<Violation>? violations) =>
        Create(spec.Handler, spec.Input, spec.Options, spec.Tag, spec.RequestId, defaults, field, ref violations) with
        {
            TraceParent = TraceParents.Read(spec.Traceparent, traceOfCall, field, ref violations),
        };

    /// <summary>As above, from a received message.</summary>
    public TaskSubmission Read(
        RawTaskView spec, TaskPolicy? defaults, string? traceOfCall, string field, ref List<Violation>? violations) =>
        Create(
            _handlers.Get(spec.Handler),
            spec.Input.ToByteString(),
            ByteString.CopyFrom(spec.Options),
            spec.Tag,
            spec.RequestId.IsEmpty ? "" : FieldReader.Decode(spec.RequestId),
            defaults,
            field,
            ref violations) with
        {
            TraceParent = spec.Traceparent.IsEmpty
                ? traceOfCall : TraceParents.Read(FieldReader.Decode(spec.Traceparent), traceOfCall, field, ref violations),
        };

    private TaskSubmission Create(
        string handler, ByteString input, ByteString options, ulong tag, string requestId, TaskPolicy? defaults, string field,
        ref List<Violation>? violations)
    {
        var policy = options.IsEmpty ? defaults ?? TaskPolicy.Default : policies.Map(options, $"{field}.options", ref violations);
        if (policy.RateLimiter.Length > 0 && !objects.Read((view, _) => view.HasRateLimiter(policy.RateLimiter)))
        {
            (violations ??= []).Add(new Violation(
                $"{field}.options.rate_limiter", $"there is no rate limiter '{policy.RateLimiter}'; create it first (CreateRateLimiter)",
                ErrorReason.NotFound));
        }

        if (handler.Length == 0)
            (violations ??= []).Add(new Violation($"{field}.handler", "is empty; it names the code to run, as listed by ListHandlers"));
        else if (FieldLimits.OfText(handler, "handler", $"{field}.handler") is { } tooLong)
            (violations ??= []).Add(tooLong);
        else if (!HandlerNames.IsValid(handler))
            (violations ??= []).Add(
                new Violation($"{field}.handler", $"'{VisibleText.Line(handler)}' is no handler's name, which has {HandlerNames.Rule}"));
        if (FieldLimits.OfText(requestId, "request_id", $"{field}.request_id") is { } id)
            (violations ??= []).Add(id);
        if (input.Length > engine.LargestPayload)
        {
            (violations ??= []).Add(new Violation(
                $"{field}.input",
                $"has {input.Length:N0} bytes; the limit (payload_bytes) is {engine.LargestPayload:N0}: send a name or a path " +
                "instead of a large object, or raise the limit (--max-payload)",
                ErrorReason.LimitExceeded));
        }
        else if (PayloadFormat.IsTooDeep(input.Span))
        {
            (violations ??= []).Add(new Violation($"{field}.input", PayloadFormat.TooDeep));
        }

        return new TaskSubmission(handler, policy, input, input.Length, tag, requestId);
    }

    /// <summary>Reads the one task of a call.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT or RESOURCE_EXHAUSTED, naming every field at fault.</exception>
    public TaskSubmission ReadOrThrow(RawTaskSpec? spec, string? traceOfCall, string field)
    {
        if (spec is null)
            throw RpcErrors.Invalid(field, "is missing");
        List<Violation>? violations = null;
        var submission = Read(spec, null, traceOfCall, field, ref violations);
        return violations is null ? submission : throw RpcErrors.Invalid(violations);
    }
}

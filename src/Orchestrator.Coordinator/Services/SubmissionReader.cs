using Orchestrator.Contracts;
using Orchestrator.Contracts.Passthrough;
using Orchestrator.Coordinator.Errors;
using Orchestrator.Core.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services;

/// <summary>Task specs as they arrive, to submissions as the engine takes them.</summary>
internal sealed class SubmissionReader(PolicyTranslator policies)
{
    private const int MaxHandlerLength = 128;
    private const int MaxRequestIdLength = 256;

    /// <summary>Reads one spec; what is wrong with it is added to <paramref name="violations"/>.</summary>
    public TaskSubmission Read(PassTaskSpec spec, TaskPolicy? defaults, string field, ref List<Violation>? violations)
    {
        var policy = spec.Options.IsEmpty ? defaults ?? TaskPolicy.Default : policies.Translate(spec.Options, $"{field}.options", ref violations);
        if (spec.Handler.Length is 0 or > MaxHandlerLength)
        {
            (violations ??= []).Add(new Violation(
                $"{field}.handler", spec.Handler.Length == 0 ? "is empty; it names the code to run, as listed by ListHandlers" : $"is longer than {MaxHandlerLength} characters"));
        }

        if (spec.RequestId.Length > MaxRequestIdLength)
            (violations ??= []).Add(new Violation($"{field}.request_id", $"has {spec.RequestId.Length} characters; at most {MaxRequestIdLength} are allowed"));
        if (spec.Input.Length > ProtocolConstants.MaxPayloadBytes)
        {
            (violations ??= []).Add(new Violation(
                $"{field}.input",
                $"has {spec.Input.Length:N0} bytes; the limit (payload_bytes) is {ProtocolConstants.MaxPayloadBytes:N0}: send a name or a path instead of a large object",
                ErrorReason.LimitExceeded));
        }

        return new TaskSubmission(spec.Handler, policy, spec.Input, spec.Input.Length, spec.Tag, spec.RequestId);
    }

    /// <summary>Reads the one task of a call.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT or RESOURCE_EXHAUSTED, naming every field at fault.</exception>
    public TaskSubmission ReadOrThrow(PassTaskSpec? spec, string field)
    {
        if (spec is null)
            throw Failures.Invalid(field, "is missing");
        List<Violation>? violations = null;
        var submission = Read(spec, null, field, ref violations);
        return violations is null ? submission : throw Failures.Invalid(violations);
    }
}

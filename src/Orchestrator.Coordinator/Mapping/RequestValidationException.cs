using Grpc.Core;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>A request that is refused before the engine sees it: it ends a unary call, and one operation of a Connect stream.</summary>
internal sealed class RequestValidationException : RpcException
{
    public RequestValidationException(ObjectError error)
        : this(error, RpcErrors.From(error))
    {
    }

    private RequestValidationException(ObjectError error, RpcException failure)
        : base(failure.Status, failure.Trailers) => Error = error;

    /// <summary>The violation.</summary>
    public ObjectError Error { get; }

    /// <summary>An invalid field.</summary>
    public static RequestValidationException Invalid(string field, string message) =>
        new(new ObjectError(ObjectErrorReason.Invalid, message) { Field = field });
}

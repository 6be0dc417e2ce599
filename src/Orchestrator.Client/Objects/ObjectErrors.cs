using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>What an operation failed with, as this client's exception.</summary>
internal static class ObjectErrors
{
    public static OrchestratorException From(OperationError error) =>
        ReasonedErrors.Create(error.Reason, (StatusCode)error.Code, error.Message, null, error.Cycle?.Edges, null);
}

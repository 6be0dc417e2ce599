using System.Numerics;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Handlers.Common;

/// <summary>Reports invalid input as such.</summary>
internal static class Check
{
    /// <summary>A number from the wire must not be able to occupy a worker for a year.</summary>
    public static void Range<T>(string field, T value, T min, T max)
        where T : INumber<T>
    {
        if (value < min || value > max)
            throw new InvalidInputException(field, $"must be between {min} and {max}, got {value}");
    }

    /// <summary>Names of shared objects are the caller's input: a wrong or unknown name is no failure of the handler.</summary>
    public static async Task<T> ObjectsAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (OrchestratorException exception)
            when (exception.Reason is FailureReason.Invalid or FailureReason.NotFound or FailureReason.KindMismatch)
        {
            throw new InvalidInputException("", exception.Message, exception);
        }
    }
}

using System.Numerics;
using Orchestrator.Worker;

namespace Orchestrator.Handlers;

/// <summary>Bounds of inputs: a number from the wire must not be able to take a worker for a year.</summary>
internal static class Check
{
    public static void Range<T>(string field, T value, T min, T max)
        where T : INumber<T>
    {
        if (value < min || value > max)
            throw new InvalidInputException(field, $"must be between {min} and {max}, got {value}");
    }
}

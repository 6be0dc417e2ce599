using System.Globalization;

namespace Orchestrator.Core.Tests;

/// <summary>The number of random cases per property.</summary>
/// <remarks>The long form multiplies them, <c>ORCHESTRATOR_PROPERTY_FACTOR=100</c>, and the fast one divides them, <c>0.25</c>.</remarks>
internal static class Iterations
{
    private static readonly double s_factor =
        double.TryParse(Environment.GetEnvironmentVariable("ORCHESTRATOR_PROPERTY_FACTOR"), NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture, out var factor) ? factor : 1;

    /// <summary>This many, times the factor, and at least one.</summary>
    public static int Of(int count) => Math.Max(1, (int)(count * s_factor));
}

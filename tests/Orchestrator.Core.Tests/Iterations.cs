using System.Globalization;

namespace Orchestrator.Core.Tests;

/// <summary>The number of random cases per property.</summary>
/// <remarks>The long form multiplies them: <c>ORCHESTRATOR_PROPERTY_FACTOR=100</c>.</remarks>
internal static class Iterations
{
    private static readonly int s_factor =
        int.TryParse(Environment.GetEnvironmentVariable("ORCHESTRATOR_PROPERTY_FACTOR"), NumberStyles.None, CultureInfo.InvariantCulture,
            out var factor) ? factor : 1;

    /// <summary>This many, times the factor.</summary>
    public static int Of(int count) => count * s_factor;
}

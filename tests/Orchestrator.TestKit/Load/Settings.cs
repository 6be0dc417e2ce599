using System.Globalization;

namespace Orchestrator.TestKit.Load;

/// <summary>Numbers by which a test's long form is asked for.</summary>
public static class Settings
{
    /// <summary>The variable's number, or this one where it is not set.</summary>
    public static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    /// <summary>A new seed each time, unless <c>ORCHESTRATOR_FAULT_SEED</c> repeats one.</summary>
    public static int Seed() => Number("ORCHESTRATOR_FAULT_SEED", Random.Shared.Next(1_000_000_000));
}

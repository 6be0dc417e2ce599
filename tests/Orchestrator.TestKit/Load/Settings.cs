using System.Globalization;

namespace Orchestrator.TestKit.Load;

/// <summary>Settings from environment variables for a test's long form.</summary>
public static class Settings
{
    /// <summary>The variable's number, or this default.</summary>
    public static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
            ? value : otherwise;

    /// <summary>A new seed each time, unless <c>ORCHESTRATOR_FAULT_SEED</c> repeats one.</summary>
    public static int Seed() => Number("ORCHESTRATOR_FAULT_SEED", Random.Shared.Next(1_000_000_000));
}

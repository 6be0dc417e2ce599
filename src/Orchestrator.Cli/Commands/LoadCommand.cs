using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.LoadTest;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator load</c></summary>
internal static class LoadCommand
{
    private static readonly Argument<string> Scenario = new("FILE") { Description = "The scenario, a JSON file; scripts/load has three." };

    private static readonly Option<OptionTime?> Length = DurationOption.Option(
        "--duration", "The length of the load, instead of the scenario's.");

    public static Command Create() =>
        new Command(
            "load", "Runs a scripted load against a running coordinator, and ends with a ledger of every task: passed (0) or failed (4).")
        {
            Scenario, Length,
        }
            .Examples(
                "scripts/load-test steady",
                "orchestrator load scripts/load/worker-kills.json --duration 2h")
            .HandledBy(async (context, token) =>
            {
                var scenario = await LoadScenario.ReadAsync(context.Get(Scenario)!, token);
                if (context.Get(Length) is { Value: var length })
                    scenario = length > TimeSpan.Zero
                        ? scenario with { Duration = length } : throw new UsageException("--duration must be longer than 0.");
                var verdict = await new LoadRun(scenario, context.ConnectAsync, context.Terminal).RunAsync(token);
                if (context.Terminal.IsJson)
                    context.Terminal.WriteJson(verdict.ToJson());
                else
                    verdict.Write(context.Terminal);
                return verdict.Faults.Count == 0 ? ExitCode.Ok : ExitCode.ThresholdMissed;
            });
}

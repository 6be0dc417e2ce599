using Orchestrator.TestKit.Load;

namespace Orchestrator.Integration.Tests.Soak;

/// <summary>
/// All faults mixed, under load, for a long time: run by <c>scripts/soak [minutes]</c>. Explicit, since it runs as long as requested.
/// </summary>
[Trait("Kind", "slow")]
public sealed class SoakTests(ITestOutputHelper output)
{
    [Fact(Explicit = true)]
    public async Task Nothing_is_lost_done_twice_or_left_behind_while_faults_of_all_kinds_come()
    {
        var minutes = Settings.Number("ORCHESTRATOR_SOAK_MINUTES", 1);
        await using var run = await SoakRun.StartAsync(Settings.Seed(), output.WriteLine);
        await run.RunAsync(TimeSpan.FromMinutes(minutes));
    }
}

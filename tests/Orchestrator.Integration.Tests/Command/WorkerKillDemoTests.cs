using Orchestrator.Cli.Demo;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>The part of the demo in which a worker process is killed.</summary>
public sealed class WorkerKillDemoTests
{
    [Fact]
    public async Task It_shows_what_a_killed_worker_costs_here_and_in_Python()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync();
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory });
        using var output = new StringWriter();
        var terminal = new Terminal(json: false, output, output);
        await new WorkerKill(client, terminal, CancellationToken.None).RunAsync(Workload.Create(8_000_000)[0], 2);
        var lines = output.ToString().TrimEnd().Split('\n');
        Assert.Matches(@"^  no retries +3[5-9] succeeded, [1-5] lost$", lines[1]);
        Assert.Matches(@"^ +the lost one: worker-[12]#\d+ was killed by SIGKILL \(9\) while it ran the task$", lines[2]);
        Assert.Matches(@"^  with retries +40 succeeded, 0 lost; [1-5] ran again$", lines[3]);
        Assert.Matches(@"^  Python, the same +\d+ succeeded, [1-9]\d* lost: the whole pool is broken \(BrokenProcessPool\)$", lines[4]);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, 100));
    }
}

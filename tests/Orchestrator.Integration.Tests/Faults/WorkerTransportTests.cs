using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// A worker that does not use the direct stream is served over gRPC on its socket, as one in any language is, with the same guarantees. The
/// command closes the inherited descriptor before it becomes the worker.
/// </summary>
public sealed class WorkerTransportTests
{
    private static readonly string[] s_overGrpc =
        ["--worker-command", $"""/bin/sh -c 'exec 3<&-; exec "{CoordinatorProcess.CommandPath}" worker --grpc --allow-chaos'""",
            "--allow-chaos"];

    [Fact]
    public async Task Tasks_stream_through_and_a_killed_worker_is_replaced()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(s_overGrpc);
        var results = await coordinator.StreamAsync(
            Enumerable.Range(0, 2_000).Select(i => Specs.Json("sum_of_squares", """{"n": 10}""", tag: (ulong)i)));
        Assert.Equal(2_000, results.Count(result => result is { State: TaskState.Succeeded, Output.Json.NumberValue: 285 }));

        var running = await coordinator.SubmitAsync(Specs.Json("spin", """{"ms": 4000}"""), Specs.Json("spin", """{"ms": 4000}"""));
        foreach (var id in running)
            await coordinator.WaitUntilRunningAsync(id);
        var victim = (await coordinator.WorkersAsync())[0];
        Signals.Send(victim.Pid, Signals.Kill);
        var lost = await coordinator.WaitForEventAsync("worker.lost");
        await coordinator.WaitForEventAsync("worker.ready", item => item.Sequence > lost.Sequence);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
    }

    [Fact]
    public async Task A_drain_loses_nothing()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(s_overGrpc);
        var ids = await coordinator.SubmitAsync(
            Enumerable.Range(0, 200).Select(i => Specs.Json("sleep", $"{{\"ms\": {i}}}", tag: (ulong)i)));
        var wait = coordinator.WaitAsync(ids);
        await coordinator.WaitAsync([ids[0]]);
        coordinator.Terminate();
        Assert.All(await wait, result => Assert.Equal(TaskState.Succeeded, result.State));
        Assert.Equal(0, await coordinator.WaitForExitAsync());
    }
}

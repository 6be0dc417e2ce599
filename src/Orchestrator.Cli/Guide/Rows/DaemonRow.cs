using Orchestrator.Client.Tasks;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class DaemonRow() : GuideRow("daemon", "4.4", "a background task that ends with the program that started it")
{
    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_heartbeat", async (string name, TaskContext context) =>
    {
        var ct = context.CancellationToken;
        while (true)
        {
            await context.Value<long>(name).AddAsync(1, ct);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
        }
    });

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("beats");
        await using var session = await guide.OpenSessionAsync();
        ulong id;
        await using (var program = await guide.ConnectAsync(detachOnDisconnect: false))
        {
            guide.Say("Another client starts an endless heartbeat in a worker, and continues with its own work.");
            id = (await program.SubmitAsync<int>("guide_heartbeat", name, cancellationToken: guide.Token)).Id;
            await guide.UntilAsync(async () => await session.Value(name).ReadAsync(guide.Token) >= 3);
            guide.Shows("the heartbeat beats beside it",
                (await guide.Client.Contract.GetTaskAsync(id, guide.Token)).State == TaskState.Running);
        }

        guide.Say("The client has ended without stopping its heartbeat, as a Python program leaves its daemon threads.");
        var ended = await guide.Client.Contract.WaitAsync([id], WaitMode.All, TimeSpan.FromSeconds(20), guide.Token);
        guide.Shows("the heartbeat has ended with it: cancelled cooperatively",
            ended.Done is [{ State: TaskState.Cancelled, Error.Rung: CancelRung.Cooperative }]);
        var beats = await session.Value(name).ReadAsync(guide.Token);
        await guide.PauseAsync(100);
        guide.Shows($"after {beats} beats there are no more", await session.Value(name).ReadAsync(guide.Token) == beats);

        var workers = (await guide.Client.Contract.GetStatusAsync(guide.Token)).Workers;
        guide.Say("The workers themselves have such a thread, two beats a second: " +
            $"{GuideContext.List(workers.Select(worker => $"{worker.Name} ({worker.Threads} threads)"))}. One that falls silent for 5 s " +
            "is killed and replaced.");
    }
}

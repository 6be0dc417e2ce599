using Orchestrator.Client;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class RunInExecutorRow() : GuideRow("run-in-executor", "10.1", "blocking code beside asynchronous code")
{
    private const int Blocking = 64;
    private const int Milliseconds = 1_000;
    private const int Echoes = 20;

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say($"{Blocking} tasks hold a thread each for {Milliseconds} ms. Their handler is declared as blocking, so each worker runs them on threads of a lane of their own.");
        var handles = new List<TaskHandle<int>>();
        var unfinished = 0;
        var echoes = TimeSpan.Zero;
        var took = await GuideContext.TimeAsync(async () =>
        {
            for (var i = 0; i < Blocking; i++)
                handles.Add(await guide.Pool.SubmitAsync<int>("blocking_sleep", new { ms = Milliseconds }, cancellationToken: guide.Token));
            echoes = await GuideContext.TimeAsync(async () =>
            {
                for (var i = 0; i < Echoes; i++)
                    await guide.Pool.RunAsync<int>("echo", i, cancellationToken: guide.Token);
            });
            unfinished = handles.Count(handle => !handle.IsCompleted);
            await TaskHandles.WhenAll(handles);
        });
        guide.Say($"Meanwhile {Echoes} asynchronous tasks were run one after the other, {GuideContext.Show(echoes / Echoes)} each.");
        guide.Shows($"{unfinished} of {Blocking} blocking ones were still at it when the asynchronous ones had all been answered", unfinished == Blocking);
        guide.Shows($"the blocking ones blocked at the same time: {GuideContext.Show(took)} in all, instead of {Blocking} s", took < TimeSpan.FromMilliseconds(Blocking * Milliseconds / 4));
    }
}

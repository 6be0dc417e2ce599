using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Soak;

/// <summary>
/// A counter that tasks increment which may run only once: more increments than started tasks mean that one ran twice, fewer than succeeded
/// tasks that one is lost.
/// </summary>
internal sealed class SoakCounter(CoordinatorProcess coordinator)
{
    private const string Dict = "soak";
    private const string Key = "count";

    private long _sent;
    private long _succeeded;

    public TaskSpec Make()
    {
        Interlocked.Increment(ref _sent);
        return Specs.Json("increment", $$"""{"dict": "{{Dict}}", "key": "{{Key}}"}""");
    }

    public void See(TaskResult result)
    {
        if (result.State == TaskState.Succeeded)
            Interlocked.Increment(ref _succeeded);
    }

    public async Task CheckAsync()
    {
        var state = new StateService.StateServiceClient(coordinator.Invoker);
        var read = await state.ReadDictAsync(new ReadDictRequest { Dict = Dict, Keys = { Key } }, CoordinatorProcess.Deadline());
        var count = (long)read.Entries.Single().Value.Json.NumberValue;
        Assert.InRange(count, _succeeded, _sent);
    }
}

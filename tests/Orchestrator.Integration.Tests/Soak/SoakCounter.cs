using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Soak;

/// <summary>A count that tasks raise which may run once only: more of it than tasks that started means that one ran twice, less than succeeded means that one is lost.</summary>
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

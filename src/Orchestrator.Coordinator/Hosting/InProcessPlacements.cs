using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.TaskModel;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>The placements inside the coordinator, which exist for comparison with worker processes.</summary>
internal sealed class InProcessPlacements(
    TaskEngineHost host, TaskHandlerRegistry handlers, CoordinatorOptions options, IServiceProvider services, TimeProvider time)
        : IAsyncDisposable
{
    private readonly List<InProcessChannel> _channels = [];

    public void Start()
    {
        Add(PlacementPolicy.Sequential, ExecutorLayout.Sequential());
        Add(PlacementPolicy.Threads, ExecutorLayout.Threads(options.InProcessThreads));
        Add(PlacementPolicy.Async, ExecutorLayout.Async(options.InProcessAsync));

        void Add(PlacementPolicy placement, ExecutorLayout layout) =>
            _channels.Add(new InProcessChannel(host, placement, layout, handlers, services, time));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels)
            await channel.DisposeAsync();
    }
}

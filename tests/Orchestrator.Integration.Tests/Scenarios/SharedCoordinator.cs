using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Scenarios;

/// <summary>One coordinator with two workers, for tests of a class that leave its state unchanged.</summary>
public sealed class SharedCoordinator : IAsyncLifetime
{
    public CoordinatorProcess Coordinator { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Coordinator = await CoordinatorProcess.StartAsync("--allow-chaos");

    public async ValueTask DisposeAsync() => await Coordinator.DisposeAsync();
}

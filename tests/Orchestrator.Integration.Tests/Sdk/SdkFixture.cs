using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>A coordinator with the misbehaving handlers, and a client of it.</summary>
public sealed class SdkFixture : IAsyncLifetime
{
    public CoordinatorProcess Coordinator { get; private set; } = null!;

    public OrchestratorClient Client { get; private set; } = null!;

    public static Task<OrchestratorClient> ConnectAsync(CoordinatorProcess coordinator) =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = coordinator.DataDirectory });

    public async ValueTask InitializeAsync()
    {
        Coordinator = await CoordinatorProcess.StartAsync("--allow-chaos");
        Client = await ConnectAsync(Coordinator);
    }

    public async ValueTask DisposeAsync()
    {
        await using (Coordinator)
            await Client.DisposeAsync();
    }
}

/// <summary>Short forms for these tests.</summary>
internal static class SdkWaits
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Patience);

    public static Task Soon(this Task task) => task.WaitAsync(Patience);

    public static Task<T> Soon<T>(this TaskHandle<T> handle) => handle.AsTask().WaitAsync(Patience);

    /// <summary>Waits until the coordinator reports that the task runs.</summary>
    public static async Task UntilRunningAsync(this TaskHandle handle)
    {
        using var limit = new CancellationTokenSource(Patience);
        await foreach (var item in handle.EventsAsync(limit.Token))
        {
            if (item.State == RunState.Running)
                return;
        }

        Assert.Fail($"task {handle.Id} ended before it ran");
    }
}

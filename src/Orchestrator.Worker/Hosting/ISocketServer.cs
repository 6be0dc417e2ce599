namespace Orchestrator.Worker.Hosting;

/// <summary>Serves <c>WorkerService</c> on the worker's socket; the package Orchestrator.Worker.AspNetCore has it.</summary>
internal interface ISocketServer : IAsyncDisposable
{
    /// <summary>Completes when the socket accepts connections.</summary>
    Task StartAsync();

    /// <summary>Ends its connections.</summary>
    Task StopAsync();
}

using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Orchestrator.Transport.Sockets;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Service;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Hosting;

/// <summary>A launched worker: its services and its streams, without the code that concerns the surrounding process.</summary>
internal sealed class WorkerInstance : IAsyncDisposable
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ServiceProvider? _services;
    private readonly ISocketServer? _server;
    private readonly SocketMessageStream? _direct;
    private readonly IReadOnlyList<Func<IServiceProvider, CancellationToken, Task>> _initializers;

    private WorkerInstance(WorkerBuilder worker, WorkerRuntime runtime, ServiceProvider? services, SocketMessageStream? direct)
    {
        Runtime = runtime;
        _services = services;
        _direct = direct;
        _server = worker.CreateSocketServer?.Invoke(runtime);
        _initializers = worker.Initializers;
    }

    public WorkerRuntime Runtime { get; }

    /// <summary>Completes when the socket, if it is served, accepts connections.</summary>
    public Task Listening => _listening.Task;

    /// <param name="worker">The program's configured builder.</param>
    /// <param name="launch">The coordinator's order.</param>
    /// <param name="direct">The direct stream, if the coordinator offers one; owned from now on.</param>
    /// <param name="time">For heartbeats and run times.</param>
    /// <param name="host">The services of the surrounding host, which handlers use; null if the worker has its own.</param>
    public static WorkerInstance Create(
        WorkerBuilder worker, WorkerLaunch launch, SocketMessageStream? direct, TimeProvider time, IServiceProvider? host = null)
    {
        worker.Launch = launch;
        var services = host is null ? CreateServices(worker, time) : null;
        var recorder = launch.RecorderPath.Length == 0 ? null : FlightRecorder.Open(launch.RecorderPath);
        return new WorkerInstance(
            worker, new WorkerRuntime(launch, worker.Tasks, host ?? services!, recorder, time), services, direct);
    }

    /// <summary>Serves until the worker has been drained or its stream has broken.</summary>
    public async Task<StreamEnd> RunAsync()
    {
        if (_direct is not null)
            _ = ServeDirectAsync(_direct);
        if (_server is not null)
            await _server.StartAsync().ConfigureAwait(false);
        _listening.SetResult();
        await InitializeAsync().ConfigureAwait(false);
        var end = await Runtime.Ended.ConfigureAwait(false);
        if (end == StreamEnd.Clean)
        {
            await WaitForCloseAsync().ConfigureAwait(false);
            if (_server is not null)
                await _server.StopAsync().ConfigureAwait(false);
        }

        return end;
    }

    public async ValueTask DisposeAsync()
    {
        _direct?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync().ConfigureAwait(false);
        if (_services is not null)
            await _services.DisposeAsync().ConfigureAwait(false);
        Runtime.Dispose();
    }

    private static ServiceProvider CreateServices(WorkerBuilder worker, TimeProvider time)
    {
        IServiceCollection services = new ServiceCollection();
        foreach (var service in worker.Services)
            services.Add(service);
        services.AddTaskHandlerServices(worker);
        services.TryAddSingleton(time);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Information).AddProvider(new StandardErrorLogger()));
        return services.BuildServiceProvider();
    }

    /// <summary>Serves the coordinator on the direct stream, which makes it the only stream: Execute is refused from here on.</summary>
    private async Task ServeDirectAsync(SocketMessageStream direct)
    {
        Runtime.TryAttach();
        var end = StreamEnd.Broken;
        try
        {
            end = await WorkerStream.RunAsync(
                Runtime, direct.WriteAsync, (responses, executor) => new DirectSession(direct, responses, executor).RunAsync())
                    .ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The coordinator has ended, which the stream's end reports.
        }
        catch (RpcException)
        {
            // The initializer failed; its caller reports that.
        }
        finally
        {
            Runtime.Detach(end);
        }
    }

    private async Task WaitForCloseAsync()
    {
        if (Runtime.OpenConnection is not { } connection)
            return;
        try
        {
            await Task.Delay(CloseTimeout, Runtime.Time, connection).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Closed, so all data that could be read has been read.
        }
    }

    /// <summary>The socket listens meanwhile; Hello waits for the initializers.</summary>
    private async Task InitializeAsync()
    {
        try
        {
            foreach (var initialize in _initializers)
                await initialize(Runtime.Services, Runtime.DrainRequested).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (Runtime.DrainRequested.IsCancellationRequested)
        {
            // Ordered to end before it had begun; the stream, if there is one, is drained at once.
        }
        catch (Exception e)
        {
            Runtime.SetFailed(new RpcException(
                new Status(StatusCode.FailedPrecondition, $"the worker's initializer failed: {ExceptionText.MessageOf(e)}", e)));
            throw;
        }

        Runtime.SetReady();
    }
}

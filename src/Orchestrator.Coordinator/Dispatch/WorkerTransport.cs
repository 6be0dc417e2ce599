using Orchestrator.Transport.Sockets;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Dispatch;

/// <summary>Handles an <c>ExecuteResponse</c>; its bytes are valid only during the call.</summary>
internal delegate void MessageHandler(ReceivedBytes message);

/// <summary>The transport of a worker's single stream.</summary>
internal interface IWorkerTransport : IDisposable
{
    /// <summary>The worker's first message.</summary>
    Hello Hello { get; }

    /// <summary>Writes one <c>ExecuteRequest</c>; not called while an earlier call is unfinished.</summary>
    Task WriteAsync(MessageBuffer message);

    /// <summary>
    /// Delivers every message of the worker, in order; completes when the worker has closed its side, and fails when the stream breaks.
    /// </summary>
    Task ReadAllAsync(MessageHandler onMessage);

    /// <summary>Closes our side.</summary>
    Task CompleteAsync();
}

/// <summary>Finds out which transport a worker uses.</summary>
internal static class WorkerTransport
{
    /// <summary>
    /// A worker that supports the direct stream says Hello there before its socket listens; any other worker serves Execute on its socket.
    /// </summary>
    /// <exception cref="EndOfStreamException">The worker closed its stream before it said Hello.</exception>
    public static async Task<IWorkerTransport> ConnectAsync(
        WorkerLaunch launch, SocketMessageStream direct, TimeProvider time, CancellationToken cancellationToken)
    {
        var byDirect = new DirectTransport(direct, launch.Name);
        using var noSocket = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var listening = GrpcTransport.WaitForSocketAsync(launch.Socket, time, noSocket.Token);
        await Task.WhenAny(byDirect.Spoken, listening);
        if (byDirect.Spoken.IsCompleted && await byDirect.Spoken)
        {
            await noSocket.CancelAsync();
            await byDirect.ReceiveHelloAsync(cancellationToken);
            return byDirect;
        }

        await listening;
        direct.Abort();
        return await GrpcTransport.ConnectAsync(launch, time, cancellationToken);
    }
}

/// <summary>The pair of sockets that a worker has inherited.</summary>
internal sealed class DirectTransport : IWorkerTransport
{
    private readonly SocketMessageStream _stream;
    private readonly string _name;
    private readonly TaskCompletionSource<bool> _spoken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Hello> _hello = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<MessageHandler?> _reader = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DirectTransport(SocketMessageStream stream, string name)
    {
        _stream = stream;
        _name = name;
        new Thread(Read) { IsBackground = true, Name = $"{name} reader" }.UnsafeStart();
    }

    /// <summary>Whether the worker uses this stream; false when the worker closed it without a message.</summary>
    public Task<bool> Spoken => _spoken.Task;

#pragma warning disable VSTHRD002 // Read after ReceiveHelloAsync has returned.
    public Hello Hello => _hello.Task.Result;
#pragma warning restore VSTHRD002

    public Task<Hello> ReceiveHelloAsync(CancellationToken cancellationToken) => _hello.Task.WaitAsync(cancellationToken);

    public Task WriteAsync(MessageBuffer message) => _stream.WriteAsync(message);

    public Task ReadAllAsync(MessageHandler onMessage)
    {
        _reader.TrySetResult(onMessage);
        return _ended.Task;
    }

    public Task CompleteAsync()
    {
        _stream.CompleteWriting();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _stream.Dispose();
        _reader.TrySetResult(null);
    }

    /// <summary>
    /// The reader thread, which also runs the work that follows from a message: the next message would have to wait for that work anyway.
    /// </summary>
    private void Read()
    {
        try
        {
            ReadToEnd();
            _ended.TrySetResult();
        }
        catch (Exception exception)
        {
            // Passed to the waiter for the stream's end, which handles it.
            _ended.TrySetException(exception);
        }
        finally
        {
            _spoken.TrySetResult(false);
            _hello.TrySetException(new EndOfStreamException($"worker {_name} closed its stream before it said Hello"));
            // Neither task may have a waiter; mark both exceptions as observed.
            _ = _hello.Task.Exception;
            _ = _ended.Task.Exception;
        }
    }

    private void ReadToEnd()
    {
        if (_stream.Read<RawExecuteResponse>() is not { } first)
            return;
        _spoken.TrySetResult(true);
        if ((first.Hello ?? _stream.Read<RawExecuteResponse>()?.Hello) is not { } hello)
            return;
        _hello.TrySetResult(hello);
        // A dedicated thread: blocking it delays no other work.
#pragma warning disable VSTHRD002 // The reader is a thread of its own.
        if (_reader.Task.GetAwaiter().GetResult() is not { } onMessage)
#pragma warning restore VSTHRD002
            return;
        while (_stream.TryRead(out var message))
            onMessage(message);
    }
}

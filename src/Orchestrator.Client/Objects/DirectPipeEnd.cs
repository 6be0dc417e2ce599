using System.Runtime.CompilerServices;
using Grpc.Core;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Serialization;
using Orchestrator.Transport.LocalCalls;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// An attached end of a direct pipe: its messages go to the other end's process without passing the coordinator, which still knows whose
/// the ends are and closes the end of a process that dies. Safe for many threads.
/// </summary>
/// <typeparam name="T">The messages.</typeparam>
public class DirectPipeEnd<T> : IAsyncDisposable
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly string _pipe = "";
    private readonly ValueCodec<T> _codec = null!;
    private readonly DirectPipeSocket _socket = null!;
    private readonly AsyncDuplexStreamingCall<AttachPipeRequest, AttachPipeResponse> _call = null!;
    private readonly CancellationTokenRegistration _ended;
    private readonly (bool Sends, bool Receives) _directions;

    // True once the other end is closed, false once this one is; fails with what else ended the attachment.
    private readonly Task<bool> _peerClosed = null!;
    private readonly Lock _gate = new();
    private Task? _closing;

    private DirectPipeEnd(
        CoordinationSession session, PipeEnd end, ValueCodec<T> codec, DirectPipeSocket socket,
        AsyncDuplexStreamingCall<AttachPipeRequest, AttachPipeResponse> call)
    {
        var spec = call.ResponseStream.Current.Pipe.Spec;
        (_pipe, _codec, _socket, _call) = (spec.Name, codec, socket, call);
        _directions = (spec.Duplex || end == PipeEnd.B, spec.Duplex || end == PipeEnd.A);
        _peerClosed = session.Services.Errors.MoveNextAsync(call.ResponseStream, CancellationToken.None);
        // Without a coordinator nothing would close the end of a process that dies. Also observes the exception.
        _ = _peerClosed.ContinueWith(
            static (closed, socket) =>
            {
                _ = closed.Exception;
                ((DirectPipeSocket)socket!).Dispose();
            },
            socket, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _ended = session.Ended.UnsafeRegister(static end => _ = ((DirectPipeEnd<T>)end!).StartClosing(), this);
    }

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected DirectPipeEnd()
    {
    }

    /// <summary>
    /// Sends a message; waits while the sockets have no room. It is sent in any case once it has begun to leave: cancelling has an effect
    /// only while it waits for messages that were sent before.
    /// </summary>
    /// <exception cref="OrchestratorException">With BROKEN_PIPE, where one of the ends is closed; with INVALID, where this end does not
    /// send.</exception>
    public virtual async Task SendAsync(T message, CancellationToken cancellationToken = default)
    {
        Real();
        if (!_directions.Sends)
            throw Error("has one direction: end A receives and cannot send; send from end B", FailureReason.Invalid);
        try
        {
            await _socket.SendAsync(_codec.Encode(message), cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw await IsPeerClosedAsync(cancellationToken).ConfigureAwait(false)
                ? Error("has been closed at the other end", FailureReason.BrokenPipe, exception) : EndClosed();
        }
    }

    /// <summary>
    /// Waits for and receives the next message; null at end of file: the other end is closed, and all its messages have been read. A
    /// cancelled receive takes no message.
    /// </summary>
    /// <exception cref="OrchestratorException">With BROKEN_PIPE, where this end is closed; with INVALID, where it does not
    /// receive.</exception>
    public virtual async Task<T?> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        Real();
        return await NextAsync(cancellationToken).ConfigureAwait(false) is { } message ? _codec.Decode(message, "pipe", _pipe) : default;
    }

    /// <summary>
    /// As <see cref="ReceiveAsync(CancellationToken)"/> for at most this long; the flag distinguishes end of file from a timeout.
    /// </summary>
    public virtual async Task<(T? Message, bool EndOfFile)> TryReceiveAsync(
        TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        Real();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Beyond the longest timer, it is never over.
        if (timeout <= LongestTimer)
            limit.CancelAfter(timeout);
        try
        {
            return await NextAsync(limit.Token).ConfigureAwait(false) is { } message
                ? (_codec.Decode(message, "pipe", _pipe), false) : (default, true);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (default, false);
        }
    }

    /// <summary>Messages as they arrive, until end of file.</summary>
    public virtual async IAsyncEnumerable<T> ReceiveAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Real();
        while (await NextAsync(cancellationToken).ConfigureAwait(false) is { } message)
            yield return _codec.Decode(message, "pipe", _pipe);
    }

    /// <summary>Closes the end: the other end reads the messages sent before, then end of file.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // A fake has no socket.
        if (_socket is null)
            return;
        await _ended.DisposeAsync().ConfigureAwait(false);
        await StartClosing().ConfigureAwait(false);
    }

    internal static async Task<DirectPipeEnd<T>> AttachAsync(
        CoordinationSession session, string pipe, PipeEnd end, ValueCodec<T> codec, CancellationToken cancellationToken)
    {
        var services = session.Services;
        var call = services.Pipes.AttachPipe(cancellationToken: CancellationToken.None);
        try
        {
            if (call.ResponseStream is not IDescriptorSource source)
            {
                throw new OrchestratorException(
                    $"pipe \"{pipe}\" cannot be attached directly: this client calls its coordinator by gRPC, not over the local transport",
                    StatusCode.InvalidArgument, FailureReason.Invalid, null);
            }

            await using var giveUp = cancellationToken.UnsafeRegister(
                static call => ((IDisposable)call!).Dispose(), call).ConfigureAwait(false);
            var request = new AttachPipeRequest { Pipe = pipe, End = end, Direct = true };
            await call.RequestStream.WriteAsync(request, cancellationToken).ConfigureAwait(false);
            await services.Errors.MoveNextAsync(call.ResponseStream, CancellationToken.None).ConfigureAwait(false);
            var socket = await source.Descriptor.ConfigureAwait(false);
            return new DirectPipeEnd<T>(session, end, codec, new DirectPipeSocket(socket), call);
        }
        catch (Exception exception)
        {
            call.Dispose();
            if (exception is not OperationCanceledException && cancellationToken.IsCancellationRequested)
                throw new OperationCanceledException(exception.Message, exception, cancellationToken);
            throw;
        }
    }

    private async Task<Payload?> NextAsync(CancellationToken cancellationToken)
    {
        Real();
        if (!_directions.Receives)
            throw Error("has one direction: end B sends and cannot receive; receive at end A", FailureReason.Invalid);
        try
        {
            if (await _socket.ReceiveAsync(cancellationToken).ConfigureAwait(false) is { } message)
                return message;
        }
        catch (IOException exception)
        {
            throw Error($"is broken: {exception.Message}", FailureReason.BrokenPipe, exception);
        }

        // Only the coordinator knows which of the ends was closed, and how.
        return await IsPeerClosedAsync(cancellationToken).ConfigureAwait(false) ? null : throw EndClosed();
    }

    private Task<bool> IsPeerClosedAsync(CancellationToken cancellationToken) => _peerClosed.WaitAsync(cancellationToken);

    private Task StartClosing()
    {
        lock (_gate)
            return _closing ??= CloseAsync();
    }

    private async Task CloseAsync()
    {
        // Continue outside the lock that the starting caller holds.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        _socket.Dispose();
        try
        {
            await _call.RequestStream.CompleteAsync().ConfigureAwait(false);
            await _peerClosed.ConfigureAwait(false);
            while (await _call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
            {
            }
        }
        catch (Exception exception) when (exception is RpcException or OrchestratorException or InvalidOperationException)
        {
            // The end is closed, which is what the caller wants.
        }

        _call.Dispose();
    }

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private void Real([CallerMemberName] string member = "") => FakeMember.ThrowIfNull(_socket, this, member);

    private OrchestratorException EndClosed() => Error("has been closed at this end", FailureReason.BrokenPipe);

    private OrchestratorException Error(string what, FailureReason reason, Exception? inner = null) => new(
        $"pipe \"{_pipe}\" {what}",
        reason == FailureReason.Invalid ? StatusCode.InvalidArgument : StatusCode.FailedPrecondition,
        reason,
        inner);
}

using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>An existing pipe, shared by the two processes that use its ends.</summary>
/// <typeparam name="T">The messages. Take a nullable type, such as <c>int?</c>, for a value type whose default is a message,
/// too.</typeparam>
public class SharedPipe<T>
{
    internal SharedPipe(CoordinationSession session, string name, ValueCodec<T> codec)
    {
        Name = name;
        EndA = new SharedPipeEnd<T>(session, name, PipeEnd.A, codec);
        EndB = new SharedPipeEnd<T>(session, name, PipeEnd.B, codec);
    }

    /// <summary>For a fake.</summary>
    protected SharedPipe(string name, SharedPipeEnd<T> endA, SharedPipeEnd<T> endB) => (Name, EndA, EndB) = (name, endA, endB);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The receiving end of a one-way pipe.</summary>
    public SharedPipeEnd<T> EndA { get; }

    /// <summary>The sending end of a one-way pipe.</summary>
    public SharedPipeEnd<T> EndB { get; }
}

/// <summary>
/// An end of a pipe. It belongs to the first session that uses it, and closes when that session ends or the end is disposed.
/// </summary>
/// <typeparam name="T">The messages.</typeparam>
public class SharedPipeEnd<T> : IAsyncDisposable
{
    // Messages per receive at most: those received and not yet read are lost with their reader.
    private const int MaxMessages = 64;

    private readonly CoordinationSession _session;
    private readonly string _pipe;
    private readonly PipeEnd _end;
    private readonly ValueCodec<T> _codec;

    internal SharedPipeEnd(CoordinationSession session, string pipe, PipeEnd end, ValueCodec<T> codec) =>
        (_session, _pipe, _end, _codec) = (session, pipe, end, codec);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedPipeEnd()
        : this(null!, "", PipeEnd.Unspecified, null!)
    {
    }

    /// <summary>Sends a message; waits while the direction is full.</summary>
    /// <exception cref="OrchestratorException">With BROKEN_PIPE, where the other end is closed.</exception>
    public virtual Task SendAsync(T message, CancellationToken cancellationToken = default) =>
        Real().SendAsync(message, null, cancellationToken);

    /// <summary>
    /// As <see cref="SendAsync(T, CancellationToken)"/> for at most this long; returns whether the message was sent.
    /// </summary>
    public virtual Task<bool> TrySendAsync(T message, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Real().SendAsync(message, timeout, cancellationToken);

    /// <summary>
    /// Waits for and receives the next message; null at end of file: the other end is closed, and all its messages have been read.
    /// </summary>
    public virtual async Task<T?> ReceiveAsync(CancellationToken cancellationToken = default) =>
        (await Real().ReceiveAsync(null, cancellationToken).ConfigureAwait(false)).Message;

    /// <summary>
    /// As <see cref="ReceiveAsync(CancellationToken)"/> for at most this long; the flag distinguishes end of file from a timeout.
    /// </summary>
    public virtual Task<(T? Message, bool EndOfFile)> TryReceiveAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Real().ReceiveAsync(timeout, cancellationToken);

    /// <summary>Messages as they arrive, until end of file.</summary>
    public virtual async IAsyncEnumerable<T> ReceiveAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await Real().ReceiveAsync(MaxMessages, null, cancellationToken).ConfigureAwait(false) is { Status: PipeStatus.Ok } response)
        {
            foreach (var message in response.Messages)
                yield return _codec.Decode(message, "pipe", _pipe);
        }
    }

    /// <summary>Closes the end: the other end reads the messages sent before, then end of file. Does nothing if it is closed.</summary>
    /// <exception cref="OrchestratorException">With NOT_OWNER, where the end belongs to another session.</exception>
    public virtual async Task CloseAsync(CancellationToken cancellationToken = default) => await Real()._session.SendAsync(
        new Operation { ClosePipeEnd = new ClosePipeEndRequest { Pipe = _pipe, End = _end, SessionId = _session.RequestSession } },
        cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// As <see cref="CloseAsync"/>; also does nothing if the session has ended, which closed the end, or both ends are closed, which
    /// deleted the pipe.
    /// </summary>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // A fake has no session.
        if (_session is null)
            return;
        try
        {
            await CloseAsync().ConfigureAwait(false);
        }
        catch (OrchestratorException exception)
            when (exception is SessionLostException || exception.Reason == FailureReason.NotFound || _session.HasEnded)
        {
            // The end is closed, which is what the caller wants.
        }
    }

    /// <summary>
    /// Attaches to this end of a direct pipe (<see cref="PipeOptions.Direct"/>). The end closes when the result is disposed, or the session
    /// or this process ends.
    /// </summary>
    /// <exception cref="OrchestratorException">With INVALID, where the pipe is not direct or this client does not use the local transport;
    /// with NOT_OWNER, where the end is attached.</exception>
    public virtual Task<DirectPipeEnd<T>> AttachDirectAsync(CancellationToken cancellationToken = default) =>
        DirectPipeEnd<T>.AttachAsync(Real()._session, _pipe, _end, _codec, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedPipeEnd<T> Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    private async Task<bool> SendAsync(T message, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new SendRequest
        {
            Pipe = _pipe,
            End = _end,
            Messages = { _codec.Encode(message) },
            SessionId = _session.RequestSession,
        };
        request.Timeout = TimeLimits.OrNone(timeout);
        var response = (await _session.SendAsync(new Operation { Send = request }, cancellationToken).ConfigureAwait(false)).Send;
        return response.Status == PipeStatus.BrokenPipe
            ? throw new OrchestratorException(
                $"the other end of pipe \"{_pipe}\" is closed", Grpc.Core.StatusCode.FailedPrecondition, FailureReason.BrokenPipe, null)
            : response.Status == PipeStatus.Ok;
    }

    private async Task<(T? Message, bool EndOfFile)> ReceiveAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var response = await ReceiveAsync(1, timeout, cancellationToken).ConfigureAwait(false);
        var message = response.Messages.SingleOrDefault();
        return (message is null ? default : _codec.Decode(message, "pipe", _pipe), response.Status == PipeStatus.EndOfFile);
    }

    private async Task<ReceiveResponse> ReceiveAsync(int maximum, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new ReceiveRequest { Pipe = _pipe, End = _end, MaxMessages = maximum, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(new Operation { Receive = request }, cancellationToken).ConfigureAwait(false)).Receive;
    }
}

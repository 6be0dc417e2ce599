using System.Runtime.CompilerServices;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>A pipe that is shared by the two processes that use its ends, and that somebody has created.</summary>
public sealed class SharedPipe
{
    internal SharedPipe(CoordinationSession session, string name)
    {
        Name = name;
        EndA = new SharedPipeEnd(session, name, PipeEnd.A);
        EndB = new SharedPipeEnd(session, name, PipeEnd.B);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The end that receives where the pipe has one direction.</summary>
    public SharedPipeEnd EndA { get; }

    /// <summary>The end that sends where the pipe has one direction.</summary>
    public SharedPipeEnd EndB { get; }
}

/// <summary>An end of a pipe. It belongs to the first session that uses it, and is closed when that ends, or by disposing it.</summary>
public sealed class SharedPipeEnd : IAsyncDisposable
{
    // At most so many at a time: what was received and not yet looked at is lost with its reader.
    private const int MaxMessages = 64;

    private readonly CoordinationSession _session;
    private readonly string _pipe;
    private readonly PipeEnd _end;

    internal SharedPipeEnd(CoordinationSession session, string pipe, PipeEnd end) => (_session, _pipe, _end) = (session, pipe, end);

    /// <summary>Sends a message; waits while the direction is full.</summary>
    /// <exception cref="OrchestratorException">With BROKEN_PIPE, where the other end is closed.</exception>
    public Task SendAsync(Payload message, CancellationToken cancellationToken = default) => SendAsync(message, null, cancellationToken);

    /// <summary>As <see cref="SendAsync(Payload, CancellationToken)"/> for at most this long; whether it was sent.</summary>
    public Task<bool> TrySendAsync(Payload message, TimeSpan timeout, CancellationToken cancellationToken = default) => SendAsync(message, timeout, cancellationToken);

    /// <summary>Receives the next message, waiting for one; null at the end of file: the other end is closed, and all that it sent has been read.</summary>
    public async Task<Payload?> ReceiveAsync(CancellationToken cancellationToken = default) => (await ReceiveAsync(null, cancellationToken)).Message;

    /// <summary>As <see cref="ReceiveAsync(CancellationToken)"/> for at most this long; which of the two it was is told by the flag.</summary>
    public Task<(Payload? Message, bool EndOfFile)> TryReceiveAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        ReceiveAsync(timeout, cancellationToken);

    /// <summary>Messages as they come, until the end of file.</summary>
    public async IAsyncEnumerable<Payload> ReceiveAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await ReceiveAsync(MaxMessages, null, cancellationToken) is { Status: PipeStatus.Ok } response)
        {
            foreach (var message in response.Messages)
                yield return message;
        }
    }

    /// <summary>Closes the end: the other one reads what was sent, and then the end of file. Does nothing where it is closed.</summary>
    /// <exception cref="OrchestratorException">With NOT_OWNER, where the end belongs to another session.</exception>
    public async Task CloseAsync(CancellationToken cancellationToken = default) => await _session.SendAsync(
        new Operation { ClosePipeEnd = new ClosePipeEndRequest { Pipe = _pipe, End = _end, SessionId = _session.RequestSession } }, cancellationToken);

    /// <summary>As <see cref="CloseAsync"/>; does nothing either where the session has ended, which has closed it, or both ends are closed and the pipe is no more.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await CloseAsync();
        }
        catch (OrchestratorException exception) when (exception is SessionLostException || exception.Reason == ErrorReason.NotFound || _session.HasEnded)
        {
            // It is closed, which is what was asked for.
        }
    }

    private async Task<bool> SendAsync(Payload message, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new SendRequest { Pipe = _pipe, End = _end, Messages = { message }, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        var response = (await _session.SendAsync(new Operation { Send = request }, cancellationToken)).Send;
        return response.Status == PipeStatus.BrokenPipe
            ? throw new OrchestratorException($"the other end of pipe \"{_pipe}\" is closed", Grpc.Core.StatusCode.FailedPrecondition, ErrorReason.BrokenPipe, null)
            : response.Status == PipeStatus.Ok;
    }

    private async Task<(Payload? Message, bool EndOfFile)> ReceiveAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var response = await ReceiveAsync(1, timeout, cancellationToken);
        return (response.Messages.SingleOrDefault(), response.Status == PipeStatus.EndOfFile);
    }

    private async Task<ReceiveResponse> ReceiveAsync(int maximum, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new ReceiveRequest { Pipe = _pipe, End = _end, MaxMessages = maximum, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(new Operation { Receive = request }, cancellationToken)).Receive;
    }
}

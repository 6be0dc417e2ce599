using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Limits the input of a connection until a credential is accepted on it: a burst large enough for the largest request of an open method,
/// then a trickle for pings and probes. The server's own flow control would accept megabytes first, and its windows cannot be widened
/// later. After authentication all input passes.
/// </summary>
internal sealed class UnauthenticatedInputLimit(
    PipeReader inner, ConnectionAuthenticationCache cache, TimeProvider time, CancellationToken closed) : PipeReader
{
    /// <summary>The burst in bytes: 64 KB of a request to an open method, its headers and the beginning of the connection.</summary>
    public const int Burst = 72 * 1024;

    /// <summary>The bytes allowed per second after the burst.</summary>
    public const int PerSecond = 1024;

    // How often a connection that has used up its allowance is checked.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private double _allowed = Burst;
    private long _refilled = time.GetTimestamp();
    private ReadOnlySequence<byte> _shown;
    private bool _isCut;

    /// <summary>A connection middleware that puts the limit in front of the server.</summary>
    public static Func<ConnectionDelegate, ConnectionDelegate> Limit(TimeProvider time) => next => async connection =>
    {
        var transport = connection.Transport;
        connection.Transport = new Transport(
            new UnauthenticatedInputLimit(transport.Input, connection.Features.Get<ConnectionAuthenticationCache>()!, time,
                connection.ConnectionClosed), transport.Output);
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }
    };

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        cache.IsAuthenticated ? Pass(inner.ReadAsync(cancellationToken)) : ReadLimitedAsync(cancellationToken);

    public override bool TryRead(out ReadResult result)
    {
        if (cache.IsAuthenticated)
        {
            _isCut = false;
            _shown = default;
            return inner.TryRead(out result);
        }

        result = default;
        if (!inner.TryRead(out var all))
            return false;
        Refill();
        if (_allowed < 1 && !all.Buffer.IsEmpty)
        {
            inner.AdvanceTo(all.Buffer.Start);
            return false;
        }

        result = Show(all);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_shown.IsEmpty)
            _allowed -= _shown.Slice(0, consumed).Length;
        _shown = default;
        // Beyond the cut there are bytes that the server has not examined.
        inner.AdvanceTo(consumed, _isCut ? consumed : examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    private ValueTask<ReadResult> Pass(ValueTask<ReadResult> read)
    {
        _isCut = false;
        _shown = default;
        return read;
    }

    private async ValueTask<ReadResult> ReadLimitedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var all = await inner.ReadAsync(cancellationToken);
            Refill();
            if (all.IsCanceled || all.Buffer.IsEmpty || _allowed >= 1 || cache.IsAuthenticated || closed.IsCancellationRequested)
                return Show(all);
            inner.AdvanceTo(all.Buffer.Start);
            await Task.WhenAny(cache.Authenticated, Task.Delay(Pause, time, closed));
        }
    }

    private ReadResult Show(in ReadResult all)
    {
        var most = (long)_allowed;
        _isCut = all.Buffer.Length > most && !cache.IsAuthenticated && !closed.IsCancellationRequested;
        _shown = _isCut ? all.Buffer.Slice(0, most) : all.Buffer;
        return _isCut ? new ReadResult(_shown, all.IsCanceled, isCompleted: false) : all;
    }

    private void Refill()
    {
        var now = time.GetTimestamp();
        _allowed = Math.Min(Burst, _allowed + (time.GetElapsedTime(_refilled, now).TotalSeconds * PerSecond));
        _refilled = now;
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

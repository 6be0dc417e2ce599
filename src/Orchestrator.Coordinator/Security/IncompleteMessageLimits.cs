using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Common;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Limits messages that have only partly arrived: their bytes count in the memory budget and are bounded per connection and in total, and a
/// message that takes too long ends its call. Without these limits, every stream of every connection could hold a maximum-size message
/// short of its last byte.
/// </summary>
internal sealed class IncompleteMessageLimits : IDisposable
{
    /// <summary>How long a message may take to arrive: the largest payload by default then needs 1.1 MB a second.</summary>
    public static readonly TimeSpan ArrivalLimit = TimeSpan.FromSeconds(60);

    /// <summary>The same for a call that needs no credential.</summary>
    public static readonly TimeSpan OpenArrivalLimit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly MemoryBudget _memory;
    private readonly TimeProvider _time;
    private readonly PeriodicCheck _timer;
    private readonly Lock _gate = new();
    private readonly HashSet<IIncompleteMessage> _waiting = [];
    private long _bytes;

    /// <param name="memory">The memory budget.</param>
    /// <param name="messageBytes">The largest message in bytes.</param>
    /// <param name="time">For the time that a message may take.</param>
    /// <param name="logger">Logs what must not happen.</param>
    public IncompleteMessageLimits(MemoryBudget memory, int messageBytes, TimeProvider time, ILogger<IncompleteMessageLimits> logger)
    {
        MessageBytes = messageBytes;
        _memory = memory;
        _time = time;
        _timer = new PeriodicCheck(time, CheckInterval, EndLate, logger);
    }

    /// <summary>The largest message in bytes.</summary>
    public int MessageBytes { get; }

    /// <summary>The bytes of all incomplete messages.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The maximum bytes of all incomplete messages.</summary>
    public long Limit => _memory.PerClientLimit;

    /// <summary>The maximum bytes of one connection's incomplete messages.</summary>
    public long OfOneConnection => _memory.PerClientLimit / 2;

    /// <summary>The current bytes.</summary>
    public long Now => _time.GetTimestamp();

    /// <summary>Counts a change of the bytes that a body holds.</summary>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED: there is no room for more.</exception>
    public void Hold(ConnectionAuthenticationCache? cache, long bytes)
    {
        _memory.Add(bytes);
        var all = Interlocked.Add(ref _bytes, bytes);
        var own = cache?.Hold(bytes) ?? 0;
        if (bytes <= 0 || (own <= OfOneConnection && all <= Limit && _memory.Used <= _memory.AdmissionLimit))
            return;
        Hold(cache, -bytes);
        throw own > OfOneConnection
            ? RpcErrors.LimitExceeded(
                "connection",
                $"this connection's incomplete messages hold {own:N0} bytes; {OfOneConnection:N0} are allowed " +
                "(incoming_bytes_per_connection): send fewer large messages at once")
            : RpcErrors.Create(
                V1.ErrorReason.LimitExceeded,
                $"incomplete messages of all connections hold {all:N0} bytes, {Limit:N0} are allowed (incoming_bytes), within " +
                $"{_memory.AdmissionLimit:N0} of the memory budget for new work; retry soon");
    }

    /// <summary>The error for a message that is announced and will not be read.</summary>
    /// <param name="length">Its bytes.</param>
    public Grpc.Core.RpcException TooLarge(uint length) => RpcErrors.Create(
        V1.ErrorReason.LimitExceeded,
        $"the request announces a message of {length:N0} bytes; a message may have {MessageBytes:N0} (message_bytes): send it in parts");

    /// <summary>A body starts to wait for the rest of a message.</summary>
    public void Add(IIncompleteMessage body)
    {
        lock (_gate)
            _waiting.Add(body);
    }

    /// <summary>A body no longer waits.</summary>
    public void Remove(IIncompleteMessage body)
    {
        lock (_gate)
            _waiting.Remove(body);
    }

    public void Dispose() => _timer.Dispose();

    private void EndLate()
    {
        List<IIncompleteMessage>? late = null;
        lock (_gate)
        {
            foreach (var body in _waiting)
            {
                if (_time.GetElapsedTime(body.Since) > body.ArrivalLimit)
                    (late ??= []).Add(body);
            }

            late?.ForEach(body => _waiting.Remove(body));
        }

        late?.ForEach(body => body.EndLate());
    }
}

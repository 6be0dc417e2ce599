using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// A handler's view of the attempt it runs, and its way to report on it. Anything costly is created on first use.
/// </summary>
public sealed partial class TaskContext
{
    /// <summary>
    /// The source of spans of attempts, for OpenTelemetry's <c>AddSource</c>; each is a child of <see cref="TraceParent"/>.
    /// </summary>
    public const string ActivitySourceName = "Orchestrator.Worker";

    private const int MaxProgressMessage = 16 * 1_024;

    /// <summary>The task's id, the same over all its attempts.</summary>
    public ulong TaskId => _assignment.TaskId;

    /// <summary>1 for the first attempt.</summary>
    public int Attempt => _assignment.Attempt;

    /// <summary>The handler name that the task requested.</summary>
    public string Handler => _assignment.Handler;

    /// <summary>
    /// The worker's name and incarnation, such as <c>worker-1#3</c>; changes when a hot spare takes over a slot. Empty in process.
    /// </summary>
    public string WorkerName => _environment.WorkerName;

    /// <summary>The W3C trace context that the task was submitted with; may be empty.</summary>
    public string TraceParent => _assignment.Traceparent;

    /// <summary>True if the handler shares its process with the coordinator.</summary>
    public bool IsInProcess => _environment.IsInProcess;

    /// <summary>
    /// Fires when this attempt is to end: it was cancelled, or its run timeout has passed. A handler that observes it can end cleanly; one
    /// that does not is ended with its process.
    /// </summary>
    public CancellationToken CancellationToken => (Volatile.Read(ref _cancellation) ?? CreateCancellation()).Token;

    /// <summary>
    /// Fires when the worker is to shut down: running tasks may finish, and long ones may use it to stop at a good point.
    /// </summary>
    public CancellationToken ShutdownToken => _environment.ShutdownToken;

    /// <summary>The services of this process, or of this task's scope if its handler is a scoped class.</summary>
    public IServiceProvider Services
    {
        get => _services ?? _environment.Services;
        internal set => _services = value;
    }

    /// <summary>
    /// Its lines reach the task's log, and so do those of any <see cref="ILogger"/> of this process and the console output while the task
    /// runs: 64 KB of each attempt, then a line that reports the cut.
    /// </summary>
    public ILogger Logger => _logger ??= new TaskLogger(this);

    /// <summary>The largest output, and partial output, in bytes: the coordinator's limit.</summary>
    public int MaxPayloadBytes => _environment.LargestOutput;

    /// <summary>
    /// The one instance of <typeparamref name="T"/> in this worker process, created on first use, and disposed when the worker ends. For
    /// objects that are expensive to create and unsafe to share between processes: a model, a connection.
    /// </summary>
    public T GetLocal<T>(Func<T> create)
        where T : class => _environment.Locals.Get(create);

    /// <summary>Reports the task's progress to watchers. Dropped while they do not keep up: the next report replaces it anyway.</summary>
    /// <param name="completed">How much is done.</param>
    /// <param name="total">The total; 0 if unknown.</param>
    /// <param name="message">A short text for people.</param>
    public void ReportProgress(double completed, double total = 0, string? message = null)
    {
        if (_environment.ResultWriter.HasRoom)
            Send(new RawAttemptEvent
            {
                Progress =
                new Progress { Completed = completed, Total = total, Message = ExceptionText.Clean(message, MaxProgressMessage) }
            });
    }

    /// <summary>Sends a JSON value ahead of the result; waits while the reader does not keep up.</summary>
    public ValueTask WritePartialAsync<T>(T value) =>
        WritePartialAsync(value, (JsonTypeInfo<T>)_environment.Handlers.JsonOptions.GetTypeInfo(typeof(T)));

    /// <summary>Sends a JSON value ahead of the result; waits while the reader does not keep up.</summary>
    public ValueTask WritePartialAsync<T>(T value, JsonTypeInfo<T> type) => WritePartialMessageAsync(PayloadCodec.EncodeJson(value, type));

    /// <summary>Sends bytes ahead of the result; waits while the reader does not keep up.</summary>
    public ValueTask WritePartialBytesAsync(ReadOnlyMemory<byte> data) => WritePartialMessageAsync(PayloadCodec.EncodeBytes(data.Span));

    internal ValueTask WritePartialMessageAsync(ByteString payload)
    {
        if (payload.Length > MaxPayloadBytes)
            throw new PayloadTooLargeException("a partial output", payload.Length, MaxPayloadBytes);
        var partial = new RawAttemptEvent { PartialOutput = payload };
        if (!_environment.ResultWriter.HasRoom)
            return WaitAndSendAsync(partial);
        Send(partial);
        return ValueTask.CompletedTask;
    }

    internal bool HasRoom => _environment.ResultWriter.HasRoom;

    internal void Log(string level, string message) => AttemptLog.Write(level, message);

    internal void Print(bool isError, ReadOnlySpan<char> text, TextWriter process) => AttemptLog.Print(isError, text, process);

    internal void SendLog(string level, string message) =>
        Send(new RawAttemptEvent { Log = new LogLine { Level = level, Message = message } });

    private AttemptLog AttemptLog => _log ?? Interlocked.CompareExchange(ref _log, new AttemptLog(this), null) ?? _log;

    private async ValueTask WaitAndSendAsync(RawAttemptEvent partial)
    {
        await _environment.ResultWriter.WaitForRoomAsync(CancellationToken).ConfigureAwait(false);
        Send(partial);
    }
}

using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks.Streams;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>
/// One map: inputs are submitted while fewer than the limit are ahead of the results taken; results wait in a ring until they are taken. No
/// object is allocated per item beyond the messages.
/// </summary>
internal sealed class MapOperation<TIn, TOut> : TaskResultObserver, IAsyncDisposable
{
    private const int LargestBatch = 256;

    private readonly TaskFunction<TIn, TOut> _function;
    private readonly ResilientTaskStream _stream;
    private readonly TaskOptions? _options;
    private readonly Lock _gate = new();
    private readonly Ended[] _ring;
    private readonly bool _inOrder;
    private readonly ReusableSignal _room = new();
    private readonly ReusableSignal _ready = new();
    private readonly CancellationTokenSource _stopping;
    private readonly string _trace = SubmitTrace.ParentOf(null);
    private Task _producing = Task.CompletedTask;
    private Exception? _inputError;
    private long _submitted;
    private long _ended;
    private long _taken;
    private bool _inputEnded;

    public MapOperation(
        TaskFunction<TIn, TOut> function, ResilientTaskStream stream, MapOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxInFlight, 1, nameof(options));
        if (options.Task.RequestId.Length > 0)
            throw new ArgumentException("A request id names one task, and a map has many.", nameof(options));
        _function = function;
        _stream = stream;
        _options = options.Task.ToMessage();
        _inOrder = options.Order != OutputOrder.Completion;
        _ring = new Ended[options.MaxInFlight];
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ResubmitWhenLost = options.Task.ResubmitWhenLost;
    }

    public void Start(IAsyncEnumerable<TIn> inputs) => _producing = Task.Run(() => ProduceAsync(inputs));

    public void Start(IEnumerable<TIn> inputs) => _producing = Task.Run(() => ProduceAsync(inputs));

    /// <summary>Returns the next results, at least one; none at the end. They are valid until the next call.</summary>
    public async ValueTask<ArraySegment<Ended>> TakeAsync(Ended[] batch, CancellationToken cancellationToken)
    {
        while (true)
        {
            var count = 0;
            var end = false;
            lock (_gate)
            {
                while (count < batch.Length && _taken < _submitted && _ring[_taken % _ring.Length] is { IsThere: true } next)
                {
                    _ring[_taken % _ring.Length] = default;
                    _taken++;
                    batch[count++] = next;
                }

                if (count == 0)
                {
                    end = _inputEnded && _taken == _submitted;
                    if (!end)
                        _ready.Arm();
                }
                else if (_room.IsArmed && _submitted - _taken <= _ring.Length / 2)
                {
                    // ReusableSignal once half the ring is free, so that reader and producer do not wake each other for every item.
                    _room.Set();
                }
            }

            if (count > 0)
                return new ArraySegment<Ended>(batch, 0, count);
            if (end)
                return _inputError is null ? ArraySegment<Ended>.Empty : throw _inputError;
            await using (cancellationToken.UnsafeRegister(static state => ((MapOperation<TIn, TOut>)state!).Wake(), this)
                .ConfigureAwait(false))
                await _ready.WaitAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public static Ended[] NewBatch() => new Ended[LargestBatch];

    /// <summary>The output; throws if there is none.</summary>
    public TOut Read(in Ended item)
    {
        if (item.Lost is not null)
            throw item.Lost;
        return TaskOutputs.Read(_function.Decode, item.Result!, _function.Name);
    }

    public TaskOutcome<TOut> ReadOutcome(in Ended item)
    {
        if (item.Lost is not null)
            return new TaskOutcome<TOut>(item.Sequence, item.Lost);
        var result = item.Result!;
        return result.State == TaskState.Succeeded
            ? new TaskOutcome<TOut>(item.Sequence, TaskOutputs.Read(_function.Decode, result, _function.Name), null, result)
            : new TaskOutcome<TOut>(item.Sequence, default, TaskErrors.From(result, _function.Name), result);
    }

    public override void OnResult(long sequence, TaskResult result) => Add(new Ended(sequence, result, null));

    public override void OnLost(long sequence, OrchestratorException error) => Add(new Ended(sequence, null, error));

    /// <summary>Stops reading inputs and cancels running tasks.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        lock (_gate)
            _room.Set();
        // Do not await the producer: a pending input would delay the caller, who has left the loop. The producer ends when it arrives.
        if (_ended < _submitted)
            _stream.CancelAll(this);
        var late = _producing.ContinueWith(
            _ =>
            {
                if (Volatile.Read(ref _ended) < Volatile.Read(ref _submitted))
                    _stream.CancelAll(this);
                _stopping.Dispose();
            },
            TaskScheduler.Default);
        if (_producing.IsCompleted)
            await late.ConfigureAwait(false);
    }

    private void Wake()
    {
        lock (_gate)
            _ready.Set();
    }

    private void Add(in Ended item)
    {
        lock (_gate)
        {
            var place = _inOrder ? item.Sequence : _ended;
            _ring[place % _ring.Length] = item;
            _ended++;
            // In submission order, the reader waits only for the next result.
            if (_ready.IsArmed && place == _taken)
                _ready.Set();
        }
    }

    private async Task ProduceAsync(IEnumerable<TIn> inputs)
    {
        Exception? error = null;
        try
        {
            foreach (var input in inputs)
            {
                if (!await TakeRoomAsync().ConfigureAwait(false))
                    break;
                await SubmitAsync(input).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            error = exception;
        }

        EndInput(error);
    }

    private async Task ProduceAsync(IAsyncEnumerable<TIn> inputs)
    {
        Exception? error = null;
        try
        {
            await foreach (var input in inputs.WithCancellation(_stopping.Token).ConfigureAwait(false))
            {
                if (!await TakeRoomAsync().ConfigureAwait(false))
                    break;
                await SubmitAsync(input).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            error = exception;
        }

        EndInput(error);
    }

    private ValueTask<bool> TakeRoomAsync()
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested)
                return new ValueTask<bool>(false);
            if (_submitted - _taken < _ring.Length)
                return new ValueTask<bool>(true);
            _room.Arm();
        }

        return WaitForRoomAsync();
    }

    private async ValueTask<bool> WaitForRoomAsync()
    {
        await _room.WaitAsync().ConfigureAwait(false);
        return !_stopping.IsCancellationRequested;
    }

    private async ValueTask SubmitAsync(TIn input)
    {
        var spec = new TaskSpec { Handler = _function.Name, Input = _function.Encode(input), Options = _options, Traceparent = _trace };
        long sequence;
        // Before the submission, since the result may arrive before it returns.
        lock (_gate)
            sequence = _submitted++;
        try
        {
            await _stream.SubmitAsync(this, sequence, spec, _stopping.Token).ConfigureAwait(false);
        }
        catch
        {
            // The failed input is the last one, so removing it leaves no gap.
            lock (_gate)
                _submitted--;
            throw;
        }
    }

    private void EndInput(Exception? error)
    {
        lock (_gate)
        {
            _inputError = error is OperationCanceledException && _stopping.IsCancellationRequested ? null : error;
            _inputEnded = true;
            _ready.Set();
        }
    }

    /// <summary>The outcome of one input.</summary>
    internal readonly record struct Ended(long Sequence, TaskResult? Result, OrchestratorException? Lost)
    {
        public bool IsThere => Result is not null || Lost is not null;
    }
}

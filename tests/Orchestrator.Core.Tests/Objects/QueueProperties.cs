using CsCheck;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Random puts, gets, settlements, timeouts, abandoned waits, undelivered gets, repeated operations, ended leases and dying consumers
/// against <see cref="QueueModel"/>: the same requests end in the same way with the same items, no item is lost or delivered to two
/// sessions, bounds hold, the unfinished count is right.
/// </summary>
public sealed class QueueProperties
{
    private static readonly Gen<(int Op, int A, int B)[]> Steps =
        Gen.Select(Gen.Int[0, 24], Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Array[1, 150];

    [Theory]
    [InlineData(QueueKind.Fifo, 0)]
    [InlineData(QueueKind.Lifo, 0)]
    [InlineData(QueueKind.Priority, 0)]
    [InlineData(QueueKind.Priority, 7)]
    public void Queues_behave_as_the_model(QueueKind kind, int aging) =>
        Steps.Sample(steps => new Run(kind, aging).Play(steps), iter: Iterations.Of(700), threads: 2);

    [Fact]
    public void The_same_commands_at_the_same_times_give_the_same_effects() =>
        Steps.Sample(steps => Assert.Equal(
            new Run(QueueKind.Fifo, 0).Play(steps), new Run(QueueKind.Fifo, 0).Play(steps)), iter: Iterations.Of(200), threads: 2);

    private sealed class Run
    {
        private const int MaxItems = 6;

        private readonly ObjectHarness _harness = new();
        private readonly QueueModel _model;
        private readonly Session?[] _consumers = new Session?[3];
        private readonly List<(Call Call, ObjectCommand Command, QueueModel.Request Request)> _calls = [];
        private readonly List<(int Request, string Result)> _history = [];
        private readonly HashSet<int> _givenBack = [];
        private int _number;
        private ulong _operation;
        private int _overfull;

        public Run(QueueKind kind, int aging)
        {
            var span = TimeSpan.FromMilliseconds(aging);
            _model = new QueueModel(kind, MaxItems, maxDeliveries: 3, span.Ticks);
            _harness.CreateQueue(
                new QueueSpec("q", kind) { MaxItems = MaxItems, MaxDeliveries = 3, DeadLetterQueue = "dead", Aging = span });
        }

        public List<(int Request, string Result)> Play((int Op, int A, int B)[] steps)
        {
            foreach (var (op, a, b) in steps)
            {
                _harness.Completed.Clear();
                Step(op, a, b);
                Compare();
            }

            for (var i = 0; i < _consumers.Length; i++)
            {
                EndConsumer(i);
                Compare();
            }

            _harness.Advance(TimeSpan.FromHours(2));
            _model.RawTime(_harness.Now.Ticks);
            Compare();
            // All dead items are in the dead-letter queue, in order.
            if (_model.Dead.Count > 0)
                Assert.Equal(_model.Dead.Select(item => item.Number), _harness.Get("dead", 1_000).Numbers());
            _harness.Apply(new DeleteQueue("q"));
            Assert.Equal((0, _model.Dead.Count > 0 ? 1 : 0), (_harness.View.WaitCount, _harness.View.ObjectCount));
            Assert.All(_consumers, session => Assert.Equal(0, session?.HoldCount ?? 0));
            return _history;
        }

        private void Step(int op, int a, int b)
        {
            switch (op)
            {
                case <= 5:
                    Put(a, b);
                    break;
                case <= 10:
                    Get(a, b);
                    break;
                case <= 14:
                    Settle(a, b);
                    break;
                case 15:
                    Join(a);
                    break;
                case 16:
                    MarkDone(1 + (a % 3));
                    break;
                case 17 or 18:
                    _harness.Advance(TimeSpan.FromMilliseconds(a % 40));
                    _model.RawTime(_harness.Now.Ticks);
                    break;
                case 19:
                    Abandon(a);
                    break;
                case 20 or 21:
                    GiveBack(a);
                    break;
                case 22:
                    Repeat(a);
                    break;
                case 23 when b % 3 == 0:
                    EndConsumer(a % _consumers.Length);
                    break;
                case 24 when b % 9 == 0:
                    var immediate = a % 2 == 0;
                    var shut = _harness.Apply(new ShutDownQueue("q", immediate)).Get<ShutDownQueueOutcome>();
                    Assert.Equal(_model.ShutDown(immediate, _harness.Now.Ticks), shut.Dropped);
                    break;
            }
        }

        private void Put(int a, int b)
        {
            var items = Enumerable.Range(0, 1 + (a % 4)).Select(i => (++_number, Priority: (long)((a + (i * b)) % 5))).ToArray();
            var command = new PutItems(
                "q", Array.ConvertAll(items, item => new PutItem(new Content(item.Item1, 1), item.Priority)))
            { Timeout = Timeout(b) };
            var request = new QueueModel.Request(_calls.Count, "put", -2, Deadline(command.Timeout)) { Items = items };
            Begin(command, request);
            _model.Put(request, _harness.Now.Ticks, command.Timeout != TimeSpan.Zero);
        }

        private void Get(int a, int b)
        {
            var leased = b % 3 > 0;
            var consumer = a % _consumers.Length;
            TimeSpan? lease = leased && a % 2 == 0 ? TimeSpan.FromMilliseconds(1 + (b % 50)) : null;
            var command = new GetItems("q", 1 + (a % 3), leased) { Timeout = Timeout(a + b), Lease = lease, Session = Consumer(consumer) };
            var request = new QueueModel.Request(_calls.Count, "get", consumer, Deadline(command.Timeout))
            {
                Most = command.MaxItems,
                IsLeased = leased,
                Lease = lease?.Ticks ?? 0,
            };
            Begin(command, request);
            _model.Get(request, _harness.Now.Ticks, command.Timeout != TimeSpan.Zero);
        }

        private void Join(int a)
        {
            var command = new JoinQueue("q") { Timeout = Timeout(a) };
            var request = new QueueModel.Request(_calls.Count, "join", -2, Deadline(command.Timeout));
            Begin(command, request);
            _model.Join(request, _harness.Now.Ticks, command.Timeout != TimeSpan.Zero);
        }

        private void MarkDone(int count)
        {
            var outcome = _harness.Apply(new MarkItemsDone("q", count)).Outcome;
            Assert.Equal(_model.MarkDone(count, _harness.Now.Ticks), outcome is MarkDoneOutcome);
        }

        /// <summary>Leases of any earlier get, including settled ones, which are stale.</summary>
        private void Settle(int a, int b)
        {
            var leases = _calls.Where(call => call.Request.IsLeased && call.Request.Taken.Count > 0 && call.Call.HasOutcome)
                .SelectMany(call => call.Call.Get<GetOutcome>().Items.Zip(
                    call.Request.Taken, (item, model) => (item.LeaseId, Item: model, Lease: call.Request.Number)))
                .TakeLast(12).ToArray();
            if (leases.Length == 0)
                return;
            var how = (Settlement)(1 + (b % 4));
            TimeSpan? duration = how is Settlement.Extend || (how is Settlement.Return && b % 8 > 3)
                ? TimeSpan.FromMilliseconds(1 + (b % 30)) : null;
            var chosen = Enumerable.Range(0, 1 + (a % 3)).Select(i => leases[(a + (i * 5)) % leases.Length]).ToArray();
            var outcome = _harness.Settle("q", how, [.. chosen.Select(lease => lease.LeaseId)], duration).Get<SettleOutcome>();
            var stale = new List<ulong>();
            var seen = new HashSet<ulong>();
            var fresh = new List<QueueModel.Item>();
            foreach (var lease in chosen)
            {
                if (_model.Away.Contains(lease.Item) && lease.Item.Session >= 0 && lease.Item.Lease == lease.Lease
                    && seen.Add(lease.LeaseId))
                    fresh.Add(lease.Item);
                else
                    stale.Add(lease.LeaseId);
            }

            fresh.ForEach(item => _model.Settle(item, how, duration?.Ticks ?? 0, _harness.Now.Ticks));
            _model.MarkDone(0, _harness.Now.Ticks);
            Assert.Equal(stale, outcome.StaleLeaseIds);
            Assert.Equal(fresh.Count, outcome.Settled);
        }

        private void Abandon(int a)
        {
            var waiting = _calls.Where(call => call.Call.Wait is { IsActive: true }).ToArray();
            if (waiting.Length == 0)
                return;
            var (call, _, request) = waiting[a % waiting.Length];
            _harness.Abandon(call);
            _model.Abandon(request, _harness.Now.Ticks);
        }

        /// <summary>Compensates a get whose outcome was not delivered; a put is not compensated.</summary>
        private void GiveBack(int a)
        {
            var done = _calls.Where(call => call.Call is { HasOutcome: true, Delivery.Granted: not null }).TakeLast(8).ToArray();
            if (done.Length == 0)
                return;
            var (call, _, request) = done[a % done.Length];
            // Returned items that were taken without a lease may exceed the bound until they are taken again.
            var isNew = _givenBack.Add(request.Number);
            if (!request.IsLeased && isNew)
                _overfull += request.Taken.Count;
            _harness.Apply(new CompensateDelivery(call.Delivery!.Value));
            if (request.Kind != "get" || !isNew)
                return;
            request.Taken.ForEach(item => item.LeaseGivenBack = request.Number);
            _model.GiveBack(request.Taken, request.IsLeased, _harness.Now.Ticks);
        }

        private void Repeat(int a)
        {
            var done = _calls.Where(call => call.Call.HasOutcome && !_givenBack.Contains(call.Request.Number)
                && call.Command is { Session: { HasEnded: false }, OperationId: not null }).TakeLast(10).ToArray();
            if (done.Length > 0)
                Assert.Same(done[a % done.Length].Call.Outcome, _harness.Apply(done[a % done.Length].Command).Outcome);
        }

        private void EndConsumer(int index)
        {
            if (_consumers[index] is not { HasEnded: false } session)
                return;
            _harness.End(session);
            _model.EndSession(index, _harness.Now.Ticks);
        }

        private void Begin(ObjectCommand command, QueueModel.Request request)
        {
            if (command.Session is not null)
                command = command with { OperationId = ++_operation };
            _calls.Add((_harness.Apply(command), command, request));
        }

        private Session Consumer(int index)
        {
            if (_consumers[index] is not { HasEnded: false })
                _consumers[index] = _harness.Session(ttl: TimeSpan.FromHours(24));
            return _consumers[index]!;
        }

        private long Deadline(TimeSpan? timeout) => timeout is { } span ? (_harness.Now + span).Ticks : long.MaxValue;

        private static TimeSpan? Timeout(int b) => (b % 7) switch
        {
            0 => TimeSpan.Zero,
            1 or 2 => TimeSpan.FromMilliseconds(b % 60),
            _ => null,
        };

        private void Compare()
        {
            var ended = _harness.Completed.Select(call => (_calls.FindIndex(known => known.Call == call), Result(call)))
                .Where(end => end.Item1 >= 0).OrderBy(end => end.Item1).ToArray();
            Assert.Equal(_model.Ended.OrderBy(end => end.Request), ended);
            _history.AddRange(ended);
            _model.Ended.Clear();
            _harness.Completed.Clear();
            var info = _harness.Queue("q");
            Assert.Equal(
                (_model.Ready.Count, _model.Away.Count, _model.Unfinished, _model.Dropped, _model.Dead.Count),
                ((int)info.ReadyItems, (int)(info.LeasedItems + info.DelayedItems), (int)info.UnfinishedItems, (int)info.Dropped,
                    (int)info.DeadLettered));
            Assert.Equal(
                (_model.Getters.Count, _model.Putters.Count, _model.Joiners.Count),
                (info.WaitingGetters, info.WaitingPutters, info.WaitingJoiners));
            Assert.InRange(info.ReadyItems + info.LeasedItems + info.DelayedItems, 0, MaxItems + _overfull);
            Assert.Equal(info.ReadyItems, info.ReadyBytes);
            Assert.Equal(_model.Ready.Count + _model.Away.Count + _model.Dead.Count, _harness.View.QueuedItemCount);
        }

        private static string Result(Call call) => call.Outcome switch
        {
            PutOutcome { Status: WaitStatus.Ok } or JoinOutcome { Status: WaitStatus.Ok } => "ok",
            PutOutcome put => $"{Text(put.Status)} {put.Accepted}",
            JoinOutcome join => $"{Text(join.Status)} {join.Unfinished}",
            GetOutcome { Status: WaitStatus.Ok } get =>
                $"ok {string.Join(' ', get.Items.Select(item => $"{item.Body.Body}/{item.Delivery}"))}",
            GetOutcome get => Text(get.Status),
            ObjectError { Reason: ObjectErrorReason.SessionLost } => "session lost",
            var other => $"{other}",
        };

        private static string Text(WaitStatus status) => status == WaitStatus.Timeout ? "timeout" : "shut down";
    }
}

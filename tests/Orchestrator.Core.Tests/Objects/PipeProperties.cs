using CsCheck;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Pipes;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Random sends, receives, peeks, timeouts, abandoned waits, undelivered receives, repeated operations, closed ends and dying owners
/// against <see cref="PipeModel"/>: every message arrives once and in order, or its end is closed; bounds hold; both ends learn of the
/// close.
/// </summary>
public sealed class PipeProperties
{
    private static readonly Gen<(int Op, int A, int B)[]> Steps =
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Array[1, 150];

    [Fact]
    public void Pipes_behave_as_the_model() => Steps.Sample(steps => new Run().Play(steps), iter: Iterations.Of(1_000), threads: 2);

    private sealed class Run
    {
        private const int Most = 4;

        private readonly ObjectHarness _harness = new();
        private readonly Session?[] _owners = new Session?[2];
        private readonly List<(Call Call, ObjectCommand Command, PipeModel.Request Request, PipeModel Pipe)> _calls = [];
        private readonly HashSet<int> _givenBack = [];
        private PipeModel _model = new(Most);
        private int _number;
        private ulong _operation;
        private int _overfull;

        public void Play((int Op, int A, int B)[] steps)
        {
            foreach (var (op, a, b) in steps)
            {
                // When a pipe has ended, the next one gets the same name.
                if (_harness.View.FindPipe("p") is null)
                {
                    _harness.CreatePipe(most: Most);
                    _model = new PipeModel(Most);
                    _overfull = 0;
                }

                _harness.Completed.Clear();
                Step(op, a, b);
                Compare();
            }

            for (var i = 0; i < 2; i++)
            {
                End(i);
                Compare();
                if (_harness.View.FindPipe("p") is not null)
                    Close(i);
                Compare();
            }

            Assert.Equal((0, 0), (_harness.View.ObjectCount, _harness.View.WaitCount));
            Assert.All(_owners, session => Assert.Equal(0, session?.HoldCount ?? 0));
        }

        private void Step(int op, int a, int b)
        {
            switch (op)
            {
                case <= 6:
                    Send(a % 2, a, b);
                    break;
                case <= 12:
                    Receive(a % 2, a, b);
                    break;
                case 13 or 14:
                    _harness.Advance(TimeSpan.FromMilliseconds(a % 40));
                    _model.RawTime(_harness.Now.Ticks);
                    break;
                case 15:
                    Abandon(a);
                    break;
                case 16 or 17:
                    GiveBack(a);
                    break;
                case 18:
                    Repeat(a);
                    break;
                case 19 when b % 6 == 0:
                    Close(a % 2);
                    break;
                case 20 when b % 6 == 0:
                    End(a % 2);
                    break;
            }
        }

        private void Send(int end, int a, int b)
        {
            var numbers = Enumerable.Range(0, 1 + (a % 6)).Select(_ => ++_number).ToArray();
            var command = new SendMessages(
                "p", (PipeEnd)(end + 1), Array.ConvertAll(numbers, number => new Content(number, 1)))
            { Timeout = Timeout(b) };
            var request = new PipeModel.Request(_calls.Count, end, true, Deadline(command.Timeout)) { Numbers = numbers };
            Begin(command, request);
            _model.Send(request, command.Timeout != TimeSpan.Zero);
        }

        private void Receive(int end, int a, int b)
        {
            var command = new ReceiveMessages("p", (PipeEnd)(end + 1), 1 + (a % 3)) { Timeout = Timeout(a + b), Peek = b % 5 == 0 };
            var request = new PipeModel.Request(
                _calls.Count, end, false, Deadline(command.Timeout))
            { Most = command.MaxMessages, IsPeek = command.Peek };
            Begin(command, request);
            _model.Receive(request, command.Timeout != TimeSpan.Zero);
        }

        private void Abandon(int a)
        {
            var waiting = _calls.Where(call => call.Call.Wait is { IsActive: true }).ToArray();
            if (waiting.Length == 0)
                return;
            _harness.Abandon(waiting[a % waiting.Length].Call);
            _model.Abandon(waiting[a % waiting.Length].Request);
        }

        private void GiveBack(int a)
        {
            var done = _calls.Where(call => call.Call is { HasOutcome: true, Delivery.Granted: not null }).TakeLast(8).ToArray();
            if (done.Length == 0)
                return;
            var (call, _, request, pipe) = done[a % done.Length];
            _harness.Apply(new CompensateDelivery(call.Delivery!.Value));
            if (!_givenBack.Add(request.Number) || pipe != _model)
                return;
            _overfull += request.Taken.Count;
            pipe.GiveBack(request);
        }

        private void Repeat(int a)
        {
            var done = _calls.Where(call => call.Call.HasOutcome && !_givenBack.Contains(call.Request.Number)
                && !call.Command.Session!.HasEnded).TakeLast(10).ToArray();
            if (done.Length > 0)
                Assert.Same(done[a % done.Length].Call.Outcome, _harness.Apply(done[a % done.Length].Command).Outcome);
        }

        private void Close(int end)
        {
            _harness.Close((PipeEnd)(end + 1)).Get<Done>();
            _model.Close(end, "closed");
        }

        private void End(int index)
        {
            if (_owners[index] is not { HasEnded: false } session)
                return;
            var owns = session.HoldCount > 0;
            _harness.End(session);
            if (owns)
                _model.Close(index, "session lost");
        }

        private void Begin(ObjectCommand command, PipeModel.Request request)
        {
            if (_owners[request.End] is not { HasEnded: false })
                _owners[request.End] = _harness.Session(ttl: TimeSpan.FromHours(24));
            command = command with { Session = _owners[request.End], OperationId = ++_operation };
            _calls.Add((_harness.Apply(command), command, request, _model));
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
            _model.Ended.Clear();
            _harness.Completed.Clear();
            Assert.Equal(_model.Waiting.Count(), _harness.View.WaitCount);
            if (_harness.View.FindPipe("p") is not { } pipe)
            {
                Assert.True(_model.IsOver);
                return;
            }

            Assert.Equal((_model.Buffered(PipeEnd.A), _model.Buffered(PipeEnd.B)), (pipe.A.Buffered, pipe.B.Buffered));
            Assert.InRange(Math.Max(pipe.A.Buffered, pipe.B.Buffered), 0, Most + _overfull);
        }

        private static string Result(Call call) => call.Outcome switch
        {
            SendOutcome { Status: PipeStatus.Ok } => "ok",
            SendOutcome { Status: PipeStatus.Timeout } send => $"timeout {send.Sent}",
            SendOutcome send => $"broken {send.Sent}",
            ReceiveOutcome { Status: PipeStatus.Ok } receive =>
                $"ok {string.Join(' ', receive.Messages.Select(message => message.Body))} of {receive.Available}",
            ReceiveOutcome { Status: PipeStatus.Timeout } => "timeout",
            ReceiveOutcome => "end of file",
            ObjectError { Reason: ObjectErrorReason.BrokenPipe } => "closed",
            ObjectError { Reason: ObjectErrorReason.SessionLost } => "session lost",
            var other => $"{other}",
        };
    }
}

using CsCheck;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;
using static Orchestrator.Core.Tests.Objects.JsonEditor;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Random updates of all kinds, valid and invalid, guarded and repeated, with entries that expire, against <see cref="StateModel"/>; and a
/// watcher of each object that now and then reads changes, or a snapshot when it was too slow, and derives the state from them alone.
/// </summary>
public sealed class StateProperties
{
    private static readonly Gen<(int Op, int A, int B)[]> Steps =
        Gen.Select(Gen.Int[0, 15], Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Array[1, 120];

    [Fact]
    public void State_and_its_watchers_behave_as_the_model() =>
        Steps.Sample(steps => new Run().Play(steps), iter: Iterations.Of(1_000), threads: 2);

    private sealed class Run
    {
        private readonly ObjectHarness _harness = StateCalls.Harness(new StateOptions { MaxEntries = 5, HistoryChanges = 12 });
        private readonly StateModel _model = new();
        private readonly StateMirror _mirror;
        private StateUpdate? _last;
        private ObjectOutcome? _lastOutcome;
        private int _requests;

        public Run()
        {
            _mirror = new StateMirror(_harness);
            _harness.Apply(new UpdateArray("a", 3, []));
        }

        public void Play((int Op, int A, int B)[] steps)
        {
            foreach (var (op, a, b) in steps)
            {
                Step(op, a, b);
                Compare();
            }

            _mirror.CatchUp(int.MaxValue);
            CompareMirror();
            foreach (var (kind, name) in new[] { (ObjectKind.Dict, "d"), (ObjectKind.List, "l"), (ObjectKind.Value, "v"),
                (ObjectKind.Array, "a") })
                _harness.Apply(new DeleteState(kind, name));
            Assert.Equal((0, 0L, 0L), (_harness.View.ObjectCount, _harness.View.StateBytes, _harness.View.StateHistoryBytes));
            Assert.Null(_harness.Engine.NextDeadline);
        }

        private void Step(int op, int a, int b)
        {
            switch (op)
            {
                case <= 4:
                    UpdateDict(a, b);
                    break;
                case <= 8:
                    UpdateList(a, b);
                    break;
                case 9 or 10:
                    var value = Edit(a, b);
                    Assert.Equal(_model.UpdateValue(value), Apply(new UpdateValue("v", value)));
                    break;
                case 11 or 12:
                    var edits = Enumerable.Range(0, 1 + (a % 3)).Select(i => new ArrayEdit(((a + (i * 3)) % 8) - 4, Edit(a + i, b + i)))
                        .ToArray();
                    Assert.Equal(_model.UpdateArray(edits), Apply(new UpdateArray("a", 0, edits)));
                    break;
                case 13:
                    _harness.Advance(TimeSpan.FromMilliseconds(a % 20));
                    _model.RawTime(_harness.Now.Ticks);
                    break;
                case 14:
                    _mirror.CatchUp(1 + (a % 4));
                    break;
                case 15 when _last is not null:
                    // Repeated or undelivered: neither has an effect.
                    if (b % 2 == 0)
                        _harness.Apply(new CompensateDelivery(new ObjectDelivery(null, 0, _lastOutcome!, _last)));
                    Assert.Same(_lastOutcome, _harness.Apply(_last).Outcome);
                    break;
            }
        }

        private void UpdateDict(int a, int b)
        {
            var edits = Enumerable.Range(0, 1 + (a % 4)).Select(i => Edit(i, a, b)).ToArray();
            var clear = b % 17 == 0;
            Assert.Equal(_model.UpdateDict(edits, clear, _harness.Now.Ticks), Apply(new UpdateDict("d", edits, clear)));
        }

        private static DictEdit Edit(int i, int a, int b)
        {
            var n = a + (b * (i + 1));
            var operation = (DictOperation)(1 + (n % 6));
            return new DictEdit(operation == DictOperation.SetPath ? DictOperation.Set : operation, $"k{n / 7 % 7}")
            {
                Value = Json(operation == DictOperation.Set && n % 5 == 0 ? "[]" : $"{n % 10}"),
                Amount = n % 3,
                Ttl = operation != DictOperation.Delete && n % 4 == 0 ? TimeSpan.FromMilliseconds(1 + (n % 25)) : null,
            };
        }

        private void UpdateList(int a, int b)
        {
            var edits = Enumerable.Range(0, 1 + (a % 4)).Select(i => (a + (b * (i + 1))) switch
            {
                var n when n % 7 == 3 && n % 5 > 0 => new ListEdit(ListOperation.Reverse),
                var n => new ListEdit(n % 23 == 0 ? ListOperation.Clear : (ListOperation)(1 + (n % 5)))
                {
                    Index = (n / 3 % 9) - 4,
                    Value = Json($"{n % 100}"),
                    Values = [.. Enumerable.Range(0, n % 3).Select(j => Json($"{j}"))],
                },
            }).ToArray();
            var popped = _model.UpdateList(edits);
            Assert.Equal(popped is not null, Apply(new UpdateList("l", edits)));
            if (popped is not null)
                Assert.Equal(popped, ((UpdateListOutcome)_lastOutcome!).Popped.Select(value => (string)value.Body));
        }

        private static NumberEdit Edit(int a, int b)
        {
            var operation = (NumberOperation)(1 + (a % 5));
            var operand = b % 11 == 0 ? (b % 2 == 0 ? long.MaxValue : long.MinValue) : (b % 7) - 3;
            return new NumberEdit(
                operation, Number.Of(operand), operation == NumberOperation.CompareAndSet && b % 3 > 0 ? Number.Of((b % 5) - 2) : null);
        }

        /// <summary>Every update is first tried with a guard that does not hold, which changes nothing.</summary>
        private bool Apply(StateUpdate update)
        {
            var stale = _harness.Apply(update with { Guard = new StateGuard(999_999) }).Fails(ObjectErrorReason.Stale);
            var call = _harness.Apply(update with { Guard = new StateGuard(stale.CurrentVersion), RequestId = $"r{++_requests}" });
            if (call.Outcome is ObjectError error)
            {
                Assert.Contains(error.Reason, new[] { ObjectErrorReason.Invalid, ObjectErrorReason.LimitExceeded });
                return false;
            }

            (_last, _lastOutcome) =
                (update with { Guard = new StateGuard(stale.CurrentVersion), RequestId = $"r{_requests}" }, call.Outcome);
            return true;
        }

        private void Compare()
        {
            Assert.Equal(_model.Dict.Select(entry => $"{entry.Key}={entry.Value}"), _harness.Read().Entries.Select(
                entry => $"{entry.Key}={entry.Value!.Value.Body}"));
            Assert.Equal(string.Join(' ', _model.List), _harness.ReadList());
            Assert.Equal($"{_model.Value}", _harness.ReadValue());
            Assert.Equal(string.Join(' ', _model.Array), _harness.ReadArray());
            var bytes = _model.Dict.Sum(entry => entry.Key.Length + entry.Value.Length) + _model.List.Sum(value => value.Length) + 24;
            Assert.Equal(bytes, _harness.View.StateBytes);
        }

        private void CompareMirror()
        {
            Assert.Equal(_model.Dict.Select(entry => $"{entry.Key}={entry.Value}")
                .Order(), _mirror.Dict.Select(entry => $"{entry.Key}={entry.Value}").Order());
            Assert.Equal(_model.List, _mirror.List);
            Assert.Equal(_model.Value, _mirror.Value);
            Assert.Equal(_model.Array, _mirror.Array);
        }
    }
}

using System.Text;

namespace Orchestrator.TestKit.History;

/// <summary>
/// Searches for an order of a history's operations that respects real time (an operation that ended before another began comes first), and
/// in which the model gives exactly the recorded results.
/// </summary>
/// <remarks>
/// Wing and Gong, "Testing and verifying concurrent objects" (1993), with Lowe's cache of failed configurations ("Testing for
/// linearizability", 2017). A read or a rejection that is possible now is taken at once, without an alternative: at any later place where
/// it could stand, it can stand here. Operations without a result may be left out.
/// </remarks>
public static class LinearizabilityChecker
{
    /// <summary>The search is given up after this many configurations.</summary>
    public const int DefaultMaxConfigurations = 3_000_000;

    /// <summary>Checks the history of one object.</summary>
    public static HistoryVerdict Check<TState>(
        IEnumerable<HistoryOperation> history, HistoryModel<TState> model, int maxConfigurations = DefaultMaxConfigurations)
        where TState : notnull => new Search<TState>(history, model, maxConfigurations).Run();

    private sealed class Search<TState>
        where TState : notnull
    {
        private readonly HistoryModel<TState> _model;
        private readonly int _maxConfigurations;

        // Operations with a result in the order of their begin, then those without.
        private readonly HistoryOperation[] _operations;
        private readonly int _known;
        private readonly ulong[] _taken;
        private readonly HashSet<Configuration> _seen = [];
        private readonly List<int> _order = [];
        private int _firstLeft;
        private (int Depth, string Text) _best = (-1, "");

        public Search(IEnumerable<HistoryOperation> history, HistoryModel<TState> model, int maxConfigurations)
        {
            _model = model;
            _maxConfigurations = maxConfigurations;
            _operations = [.. history.OrderBy(operation => operation.IsUnknown).ThenBy(operation => operation.Invoked)];
            _known = _operations.Count(operation => !operation.IsUnknown);
            _taken = new ulong[(_operations.Length + 63) / 64];
        }

        public HistoryVerdict Run()
        {
            var stack = new Stack<Frame>();
            if (Expand(_model.Initial) is not { } root)
                return new HistoryVerdict(HistoryOutcome.Linearizable, 0, "");
            stack.Push(root);
            while (stack.TryPeek(out var frame))
            {
                if (!frame.Choices.MoveNext())
                {
                    stack.Pop();
                    if (stack.Count > 0)
                        PutBack();
                    continue;
                }

                var (operation, next) = frame.Choices.Current;
                Take(operation);
                if (!_seen.Add(new Configuration([.. _taken], next)))
                {
                    PutBack();
                    continue;
                }

                if (_seen.Count > _maxConfigurations)
                    return new HistoryVerdict(
                        HistoryOutcome.Undecided, _seen.Count, $"given up after {_seen.Count} configurations; {_best.Text}");
                if (Expand(next) is not { } deeper)
                    return new HistoryVerdict(HistoryOutcome.Linearizable, _seen.Count, "");
                stack.Push(deeper);
            }

            return new HistoryVerdict(HistoryOutcome.Violation, _seen.Count, _best.Text);
        }

        /// <summary>The operations that may come next; null when every operation with a result is placed.</summary>
        private Frame? Expand(TState state)
        {
            var candidates = Candidates();
            if (candidates.Count == 0)
                return null;
            var choices = new List<(int, TState)>();
            foreach (var index in candidates)
            {
                var operation = _operations[index];
                foreach (var next in _model.Apply(state, operation))
                {
                    if (!operation.IsUnknown && _model.IsReadOnly(operation))
                        return new Frame(((IEnumerable<(int, TState)>)[(index, next)]).GetEnumerator());
                    if (!operation.IsUnknown || !EqualityComparer<TState>.Default.Equals(next, state))
                        choices.Add((index, next));
                }
            }

            if (_order.Count > _best.Depth)
                _best = (_order.Count, Explain(state, candidates));
            return new Frame(choices.GetEnumerator());
        }

        /// <summary>Operations that no remaining one must precede: those that began before the first remaining one ended.</summary>
        private List<int> Candidates()
        {
            var candidates = new List<int>();
            var firstReturn = long.MaxValue;
            for (var i = _firstLeft; i < _known && _operations[i].Invoked <= firstReturn; i++)
            {
                if (IsTaken(i))
                    continue;
                candidates.Add(i);
                firstReturn = Math.Min(firstReturn, _operations[i].Returned);
            }

            if (candidates.Count == 0)
                return candidates;
            candidates.Sort((one, other) => _operations[one].Returned.CompareTo(_operations[other].Returned));
            for (var i = _known; i < _operations.Length && _operations[i].Invoked <= firstReturn; i++)
            {
                if (!IsTaken(i))
                    candidates.Add(i);
            }

            return candidates;
        }

        private bool IsTaken(int index) => (_taken[index >> 6] & (1UL << index)) != 0;

        private void Take(int index)
        {
            _taken[index >> 6] |= 1UL << index;
            _order.Add(index);
            while (_firstLeft < _known && IsTaken(_firstLeft))
                _firstLeft++;
        }

        private void PutBack()
        {
            var index = _order[^1];
            _order.RemoveAt(_order.Count - 1);
            _taken[index >> 6] &= ~(1UL << index);
            if (index < _firstLeft)
                _firstLeft = index;
        }

        private string Explain(TState state, List<int> candidates)
        {
            const int Shown = 12;
            var text = new StringBuilder($"{_order.Count} of {_operations.Length} operations can be put in order, the last of them");
            foreach (var index in _order.TakeLast(Shown))
                text.Append("\n  ").Append(_operations[index]);
            text.Append($"\nwhich leads to {state}, where none of these can lead on to the end:");
            foreach (var index in candidates.Take(Shown))
                text.Append("\n  ").Append(_operations[index]);
            return text.ToString();
        }

        private sealed record Frame(IEnumerator<(int Operation, TState Next)> Choices);

        /// <summary>The placed operations and the resulting state; their order does not matter.</summary>
        private sealed class Configuration(ulong[] taken, TState state) : IEquatable<Configuration>
        {
            private readonly ulong[] _taken = taken;
            private readonly TState _state = state;

            public bool Equals(Configuration? other) =>
                other is not null && _taken.AsSpan().SequenceEqual(other._taken)
                    && EqualityComparer<TState>.Default.Equals(_state, other._state);

            public override bool Equals(object? obj) => Equals(obj as Configuration);

            public override int GetHashCode()
            {
                var hash = default(HashCode);
                foreach (var bits in _taken)
                    hash.Add(bits);
                hash.Add(_state);
                return hash.ToHashCode();
            }
        }
    }
}

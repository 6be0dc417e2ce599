using CsCheck;
using Orchestrator.Core.Events;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Lists of thousands of objects, page by page, against sorted names: with changes between the pages.</summary>
public sealed class NameOrderProperties
{
    private static readonly Gen<(int Op, int A, int B, int Work)[]> Steps =
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 100_000], Gen.Int[1, 1_500], Gen.Int[1, 4_000]).Array[1, 25];

    [Fact]
    public void Pages_are_those_of_all_names_sorted() =>
        Steps.Sample(steps => new Run().Play(steps), iter: Iterations.Of(30), threads: 2);

    [Fact]
    public void Values_that_are_only_waited_for_are_not_listed_among_thousands()
    {
        var harness = new ObjectHarness();
        for (var i = 0; i < 3_000; i++)
        {
            if (i % 2 == 0)
                harness.Apply(new UpdateValue($"v{i:D4}", new NumberEdit(NumberOperation.Set, Number.Of(1))));
            else
                harness.Apply(new AwaitStateChange(ObjectKind.Value, $"v{i:D4}", 0));
        }

        var page = harness.View.ListState(null, "values/v0100", 3);
        Assert.Equal(["values/v0102", "values/v0104", "values/v0106"], page.Select(item => item.QualifiedName));
        Assert.Empty(harness.View.ListState(ObjectKind.Dict, "", 3));
        Assert.Empty(harness.View.ListState(null, "values/w", 3));
        Assert.Equal("values/v0000", harness.View.ListState(ObjectKind.Value, "lists/x", 1)[0].QualifiedName);
        Assert.Equal(1_500, harness.View.ListState(ObjectKind.Value, "", 5_000).Count);
    }

    private sealed class Run
    {
        private readonly ObjectHarness _harness = new();
        private readonly SortedSet<string> _events = new(StringComparer.Ordinal);
        private readonly SortedSet<string> _queues = new(StringComparer.Ordinal);
        private string _event = "";
        private string _queue = "";

        public void Play((int Op, int A, int B, int Work)[] steps)
        {
            foreach (var (op, a, b, work) in steps)
            {
                var names = Enumerable.Range(a, b).Select(i => $"{i * 7 % 4_001}");
                switch (op)
                {
                    case <= 1:
                        Add(names);
                        break;
                    case 2:
                        Remove(names);
                        break;
                    case 3:
                        ListEvents(1 + (b % 100), work);
                        break;
                    default:
                        ListQueues(1 + (b % 100), work);
                        break;
                }
            }

            ListEvents(1_000, int.MaxValue);
            Remove([.. _events]);
            Assert.Equal((0, 0L), (_harness.View.ObjectCount, _harness.View.KeptBytes));
        }

        private void Add(IEnumerable<string> names)
        {
            foreach (var name in names)
            {
                _events.Add(name);
                _queues.Add(name);
                _harness.Apply(new SetEvent(name, true));
                _harness.Apply(new CreateQueue(new QueueSpec(name, QueueKind.Fifo)));
            }
        }

        private void Remove(IEnumerable<string> names)
        {
            foreach (var name in names)
            {
                _events.Remove(name);
                _harness.Apply(new SetEvent(name, false));
                if (_queues.Remove(name))
                    _harness.Apply(new DeleteQueue(name));
            }
        }

        private void ListEvents(int size, int work)
        {
            var page = Ask(view => (SyncPage)view.ListSync(size, _event.Length > 0 ? $"events/{_event}" : "", _harness.Now), work);
            var expected = _events.Where(name => string.CompareOrdinal(name, _event) > 0).ToArray();
            Assert.Equal(expected.Take(size).Select(name => $"events/{name}"), page.Objects.Select(item => item.ObjectName));
            Assert.Equal(expected.Length > size, page.NextPageToken.Length > 0);
            _event = expected.Length > size ? expected[size - 1] : "";
        }

        private void ListQueues(int size, int work)
        {
            var page = Ask(view => view.ListQueues(_queue, size, _harness.Now), work);
            Assert.Equal(
                _queues.Where(name => string.CompareOrdinal(name, _queue) > 0).Take(size), page.Select(queue => queue.Spec.Name));
            _queue = page.Count == size ? page[^1].Spec.Name : "";
        }

        private T Ask<T>(Func<ObjectEngineView, T> read, int work)
        {
            while (true)
            {
                _harness.View.BeginQuestion(work);
                var answer = read(_harness.View);
                if (!_harness.View.IsQuestionUnfinished)
                    return answer;
            }
        }
    }
}

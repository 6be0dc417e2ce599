using CsCheck;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>The queue's entry storage over many arrays, against the base class library's collection.</summary>
public sealed class EntryProperties
{
    // Runs of many adds or many removals, so that arrays are added and freed at both ends.
    private static readonly Gen<(int Op, int Count)[]> Steps = Gen.Select(Gen.Int[0, 4], Gen.Int[1, 1_200]).Array[1, 40];

    [Fact]
    public void The_buffer_is_a_list_with_two_ends() => Steps.Sample(
        steps =>
        {
            var buffer = new EntryBuffer();
            var model = new LinkedList<long>();
            var sequence = 0L;
            foreach (var (op, count) in steps)
            {
                for (var i = 0; i < count; i++)
                {
                    if (op <= 2 && (op < 2 || i % 2 == 0))
                    {
                        buffer.AddLast(new QueueEntry { Body = model, Sequence = ++sequence });
                        model.AddLast(sequence);
                    }
                    else if (model.Count > 0)
                    {
                        Assert.Equal((model.First!.Value, model.Last!.Value), (buffer.First.Sequence, buffer.Last.Sequence));
                        var first = op < 4;
                        Assert.Equal(
                            first ? model.First.Value : model.Last.Value, (first ? buffer.RemoveFirst() : buffer.RemoveLast()).Sequence);
                        if (first)
                            model.RemoveFirst();
                        else
                            model.RemoveLast();
                    }
                }

                Assert.Equal(model.Count, buffer.Count);
            }

            while (model.First is { } left)
            {
                Assert.Equal(left.Value, buffer.RemoveFirst().Sequence);
                model.RemoveFirst();
            }
        },
        iter: Iterations.Of(300),
        threads: 2);

    [Fact]
    public void The_heap_is_a_priority_queue() => Steps.Sample(
        steps =>
        {
            var heap = new EntryHeap(new EntryOrder(QueueKind.Priority, 0));
            var model = new PriorityQueue<long, (long, long)>();
            var sequence = 0L;
            foreach (var (op, count) in steps)
            {
                for (var i = 0; i < count; i++)
                {
                    if (op <= 2 && (op < 2 || i % 2 == 0))
                    {
                        var priority = ++sequence * 7919 % 101;
                        heap.Add(new QueueEntry { Body = model, Priority = priority, Sequence = sequence, PutAt = sequence });
                        model.Enqueue(sequence, (priority, sequence));
                    }
                    else if (model.TryDequeue(out var expected, out _))
                    {
                        Assert.Equal(expected, heap.RemoveFirst().Sequence);
                    }
                }

                Assert.Equal(model.Count, heap.Count);
                Assert.Equal(model.Count == 0 ? long.MaxValue : model.UnorderedItems.Min(item => item.Element), heap.OldestPut());
            }
        },
        iter: Iterations.Of(300),
        threads: 2);
}

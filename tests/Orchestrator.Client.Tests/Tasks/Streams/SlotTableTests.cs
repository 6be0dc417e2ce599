using CsCheck;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks.Streams;
using Orchestrator.V1;

namespace Orchestrator.Client.Tests.Tasks.Streams;

/// <summary>A result reaches its own task and no other, however slots are used again.</summary>
public sealed class SlotTableTests
{
    private enum Step
    {
        Add,
        Remove,
        RemoveStale,
        Send,
        Accept,
        TakeSent,
    }

    [Fact]
    public void Any_use_is_that_of_a_dictionary() => Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 1_000]).Array[0, 200].Sample(steps =>
    {
        var table = new SlotTable();
        var observers = new[] { new Observer(), new Observer() };
        var open = new Dictionary<ulong, (Observer Observer, long Sequence, bool IsSent, ulong TaskId)>();
        var stale = new List<ulong>();
        var sequence = 0L;
        foreach (var (step, choice) in steps)
        {
            var tag = open.Count > 0 ? open.Keys.ElementAt(choice % open.Count) : 0;
            switch (step)
            {
                case Step.Add:
                    var spec = new TaskSpec();
                    var observer = observers[choice % 2];
                    tag = table.Add(observer, ++sequence, spec);
                    Assert.Equal(tag, spec.Tag);
                    Assert.DoesNotContain(tag, stale);
                    open.Add(tag, (observer, sequence, false, 0));
                    break;
                case Step.Remove when open.Count > 0:
                    Assert.True(table.Remove(tag, out var removed));
                    Assert.Equal((open[tag].Sequence, open[tag].TaskId), (removed.Sequence, removed.TaskId));
                    Assert.Same(open[tag].Observer, removed.Observer);
                    open.Remove(tag);
                    stale.Add(tag);
                    break;
                case Step.RemoveStale when stale.Count > 0:
                    Assert.False(table.Remove(stale[choice % stale.Count], out _));
                    Assert.False(table.MarkSent(stale[choice % stale.Count]));
                    Assert.False(table.Accept(stale[choice % stale.Count], 1, out _));
                    Assert.Null(table.Find(stale[choice % stale.Count]));
                    break;
                case Step.Send when open.Count > 0:
                    Assert.True(table.MarkSent(tag));
                    open[tag] = open[tag] with { IsSent = true };
                    break;
                case Step.Accept when open.Count > 0:
                    Assert.True(table.Accept(tag, (ulong)choice + 1, out var accepted));
                    Assert.Equal((open[tag].Sequence, (ulong)choice + 1), (accepted.Sequence, accepted.TaskId));
                    open[tag] = open[tag] with { TaskId = (ulong)choice + 1 };
                    break;
                case Step.TakeSent when choice % 10 == 0:
                    var sent = open.Where(task => task.Value.IsSent).ToArray();
                    Assert.Equal(sent.Select(task => task.Value.Sequence).Order(), table.TakeSent().Select(task => task.Sequence).Order());
                    foreach (var (gone, _) in sent)
                    {
                        open.Remove(gone);
                        stale.Add(gone);
                    }

                    break;
            }

            Assert.Equal(open.Count, table.Count);
        }

        Assert.Equal(open.Keys.Order(), table.TagsOf(null).Order());
        foreach (var observer in observers)
        {
            Assert.Equal(
                open.Where(task => task.Value.Observer == observer).Select(task => task.Key).Order(), table.TagsOf(observer).Order());
        }

        Assert.All(open, task => Assert.Equal(task.Value.Sequence, table.Find(task.Key)!.Value.Sequence));
    });

    [Theory]
    [InlineData(0)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 32)]
    public void A_tag_that_was_never_given_finds_nothing(ulong tag)
    {
        var table = new SlotTable();
        Assert.Null(table.Find(tag));
        Assert.False(table.Remove(tag, out _));
        Assert.False(table.MarkSent(tag));
    }

    private sealed class Observer : TaskResultObserver
    {
        public override void OnResult(long sequence, TaskResult result)
        {
        }

        public override void OnLost(long sequence, OrchestratorException error)
        {
        }
    }
}

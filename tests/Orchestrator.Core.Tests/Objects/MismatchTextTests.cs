using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Part 5, 29: KIND_MISMATCH names the difference in the contract's terms, and prints no C# record.</summary>
public sealed class MismatchTextTests
{
    private static readonly QueueSpec s_queue = new("q", QueueKind.Fifo) { MaxItems = 10, MaxBytes = 1_000 };
    private static readonly PipeSpec s_pipe = new("p", Duplex: true) { MaxMessages = 10, MaxBytes = 1_000 };

    private readonly ObjectHarness _harness = new();

    public static TheoryData<string, string> QueueRows => new()
    {
        { nameof(QueueSpec.Kind), "kind is FIFO, not PRIORITY" },
        { nameof(QueueSpec.MaxItems), "max_items is 10, not 5" },
        { nameof(QueueSpec.MaxBytes), "max_bytes is 1,000, not 500" },
        { nameof(QueueSpec.Durability), "durability is MEMORY, not DISK" },
        { nameof(QueueSpec.MaxDeliveries), "max_deliveries is 0, not 3" },
        { nameof(QueueSpec.DeadLetterQueue), "dead_letter_queue is absent, not \"dead\"" },
        { nameof(QueueSpec.Aging), "aging is absent, not 0.5 s" },
        { nameof(QueueSpec.IdleTtl), "idle_ttl is absent, not 60 s" },
    };

    public static TheoryData<string, string> PipeRows => new()
    {
        { nameof(PipeSpec.Duplex), "duplex is true, not false" },
        { nameof(PipeSpec.Direct), "direct is false, not true" },
        { nameof(PipeSpec.MaxMessages), "max_messages is 10, not 5" },
        { nameof(PipeSpec.MaxBytes), "max_bytes is 1,000, not 500" },
    };

    [Theory]
    [MemberData(nameof(QueueRows))]
    public void Each_option_of_a_queue_is_told_of_by_its_name(string property, string expected) =>
        Assert.Equal(expected, s_queue.DifferencesFrom(Other(property)));

    [Theory]
    [MemberData(nameof(PipeRows))]
    public void Each_option_of_a_pipe_is_told_of_by_its_name(string property, string expected) =>
        Assert.Equal(expected, s_pipe.DifferencesFrom(OtherPipe(property)));

    [Fact]
    public void No_option_is_left_out()
    {
        Assert.Equal(Options(typeof(QueueSpec)), QueueRows.Select(row => row.Data.Item1).Order());
        Assert.Equal(Options(typeof(PipeSpec)), PipeRows.Select(row => row.Data.Item1).Order());
    }

    [Fact]
    public void The_refusal_names_what_differs_and_nothing_else()
    {
        Assert.IsType<CreateQueueOutcome>(_harness.Apply(new CreateQueue(s_queue)).Outcome);
        var queue = _harness.Apply(new CreateQueue(s_queue with { Kind = QueueKind.Lifo, MaxItems = 5 }))
            .Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal("queue \"q\" exists with different settings: kind is FIFO, not LIFO; max_items is 10, not 5", queue.Message);
        Assert.IsType<CreatePipeOutcome>(_harness.Apply(new CreatePipe(s_pipe)).Outcome);
        var pipe = _harness.Apply(new CreatePipe(s_pipe with { Duplex = false })).Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal("pipe \"p\" exists with different settings: duplex is true, not false", pipe.Message);
    }

    private static QueueSpec Other(string property) => property switch
    {
        nameof(QueueSpec.Kind) => s_queue with { Kind = QueueKind.Priority },
        nameof(QueueSpec.MaxItems) => s_queue with { MaxItems = 5 },
        nameof(QueueSpec.MaxBytes) => s_queue with { MaxBytes = 500 },
        nameof(QueueSpec.Durability) => s_queue with { Durability = Durability.Disk },
        nameof(QueueSpec.MaxDeliveries) => s_queue with { MaxDeliveries = 3 },
        nameof(QueueSpec.DeadLetterQueue) => s_queue with { DeadLetterQueue = "dead" },
        nameof(QueueSpec.Aging) => s_queue with { Aging = TimeSpan.FromMilliseconds(500) },
        _ => s_queue with { IdleTtl = TimeSpan.FromMinutes(1) },
    };

    private static PipeSpec OtherPipe(string property) => property switch
    {
        nameof(PipeSpec.Duplex) => s_pipe with { Duplex = false },
        nameof(PipeSpec.Direct) => s_pipe with { Direct = true },
        nameof(PipeSpec.MaxMessages) => s_pipe with { MaxMessages = 5 },
        _ => s_pipe with { MaxBytes = 500 },
    };

    private static IEnumerable<string> Options(Type spec) =>
        spec.GetProperties().Select(property => property.Name).Where(name => name != "Name").Order();
}

using System.Reflection;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;
using static Orchestrator.Core.Tests.Objects.StateCalls;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>An item, message or value may have as many bytes as the limit says, by whatever way it comes.</summary>
public sealed class LargestContentTests
{
    private const int Limit = 1000;

    private readonly ObjectHarness _harness = new(new ObjectEngineOptions
    {
        LargestContent = Limit,
        State = new StateOptions { ValueEditor = new JsonEditor() },
    });

    public static TheoryData<int, string> Fields => [.. Commands(Limit).Select((command, i) => (i, command.Field))];

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_byte_more_than_the_limit_is_refused_by_name_and_changes_nothing(int number, string field)
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo));
        _harness.CreatePipe();
        _harness.List(Edit(ListOperation.Append, value: "0"));
        var bytes = _harness.View.StateBytes;
        var error = _harness.Apply(Commands(Limit + 1)[number].Command).Fails(ObjectErrorReason.LimitExceeded);
        Assert.Equal(field, error.Field);
        Assert.Contains("1,001 bytes; the limit (payload_bytes) is 1,000", error.Message, StringComparison.Ordinal);
        Assert.Contains("--max-payload", error.Message, StringComparison.Ordinal);
        Assert.Equal((0L, bytes), (_harness.Queue("q").ReadyItems, _harness.View.StateBytes));
        Assert.True(_harness.Apply(Commands(Limit)[number].Command).Outcome!.IsSuccess);
    }

    /// <summary>Every command type with content is among those above.</summary>
    [Fact]
    public void All_commands_with_content_are_tried()
    {
        var tried = Commands(1).Select(command => command.Command.GetType()).ToHashSet();
        const BindingFlags Declared = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var looking = typeof(ObjectCommand).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(ObjectCommand))
            && type.GetMethods(Declared).Any(method => method.Name is "FindLarge" or "get_ContentBytes"));
        // These two count the ids that they wait for.
        Type[] ids = [typeof(FollowOperation), typeof(JoinTasks)];
        Assert.Equal(looking.Except(ids).OrderBy(type => type.Name), tried.OrderBy(type => type.Name));
    }

    [Theory]
    [InlineData("append")]
    [InlineData("path")]
    public void Edits_do_not_make_a_value_that_is_larger(string way)
    {
        DictEdit Edit(int i) => way == "append"
            ? new DictEdit(DictOperation.Append, "k") { Value = JsonEditor.Json("\"" + new string('x', 97) + "\"") }
            : new DictEdit(DictOperation.SetPath, "k") { Path = $"{i:00}", Value = JsonEditor.Json("\"" + new string('x', 92) + "\"") };
        // Each makes a hundred bytes, with what is between them, and the brackets are two more.
        for (var i = 0; i < 9; i++)
            _harness.Dict(Edit(i)).Get<UpdateDictOutcome>();
        var before = _harness.Read().Text();
        var error = _harness.Dict(Edit(9), Edit(10)).Fails(ObjectErrorReason.LimitExceeded);
        Assert.StartsWith("edits[", error.Field, StringComparison.Ordinal);
        Assert.Contains("key \"k\" would have a value of", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _harness.Read().Text());
    }

    private static List<(string Field, ObjectCommand Command)> Commands(int bytes)
    {
        var large = new Content("\"x\"", bytes);
        var small = JsonEditor.Json("1");
        return
        [
            ("items[1].body", new PutItems("q", [new PutItem(small), new PutItem(large)])),
            ("messages[1]", new SendMessages("p", PipeEnd.A, [small, large])),
            ("edits[1].set", new UpdateDict("d", [Set("a", "1"), new DictEdit(DictOperation.Set, "b") { Value = large }])),
            ("edits[0].set_default", new UpdateDict("d", [new DictEdit(DictOperation.SetDefault, "b") { Value = large }])),
            ("edits[0].path.value", new UpdateDict("d", [new DictEdit(DictOperation.SetPath, "b") { Path = "a", Value = large }])),
            ("edits[0].append", new UpdateDict("d", [new DictEdit(DictOperation.Append, "b") { Value = large }])),
            ("edits[0].append", new UpdateList("l", [new ListEdit(ListOperation.Append) { Value = large }])),
            ("edits[1].insert.value",
                new UpdateList("l", [Edit(ListOperation.Append, 0, "1"), new ListEdit(ListOperation.Insert) { Value = large }])),
            ("edits[0].set.value", new UpdateList("l", [new ListEdit(ListOperation.Set) { Value = large }])),
            ("edits[0].extend.values[2]", new UpdateList("l", [new ListEdit(ListOperation.Extend) { Values = [small, small, large] }])),
        ];
    }
}

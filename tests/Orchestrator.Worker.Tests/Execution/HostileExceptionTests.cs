using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tasks;
using HandlerKind = Orchestrator.Worker.Tasks.HandlerKind;

namespace Orchestrator.Worker.Tests.Execution;

/// <summary>
/// Part 5, 4: an exception is user code: whatever its members do, its task fails with the type's name, and nothing else is harmed.
/// </summary>
public sealed class HostileExceptionTests
{
    public static TheoryData<string, string> Everywhere()
    {
        var data = new TheoryData<string, string>();
        foreach (var kind in HostileException.Kinds)
        {
            foreach (var lane in new[] { "cpu", "io", "awaited", "blocking", "in-process" })
                data.Add(kind, lane);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Its_task_fails_with_the_types_name_in_every_lane(string kind, string lane)
    {
        await using var fixture = new ExecutorFixture(
            registry =>
            {
                registry.MapTask("cpu", (int _) => Throw(kind));
                registry.MapTask("in-process", (int _) => Throw(kind));
                registry.MapTask("blocking", (int _) => Throw(kind), new() { Kind = HandlerKind.Blocking });
                registry.MapTask("io", (int _) => Throw(kind), new() { Kind = HandlerKind.Io });
                registry.MapTask("awaited", async (int _) =>
                {
                    await Task.Yield();
                    return Throw(kind);
                });
                registry.MapTask("after", (int n) => n);
            },
            lane == "in-process" ? ExecutorLayout.Threads(1) : null);
        var result = await fixture.RunAsync(lane, "1");
        AssertFailed(kind, result.Error!);
        Assert.Equal("7", ExecutorFixture.Text((await fixture.RunAsync("after", "7")).Output));
    }

    [Fact]
    public void What_is_not_hostile_reads_as_it_always_did()
    {
        var exception = Assert.IsType<InvalidOperationException>(Record.Exception(Nested));
        Assert.Equal(exception.ToString().ReplaceLineEndings("\n"), ExceptionText.Describe(exception));
        Assert.Equal(exception.InnerException!.StackTrace, ExceptionText.StackOf(exception.InnerException));

        static void Nested()
        {
            try
            {
                throw new InvalidDataException("the cause");
            }
            catch (InvalidDataException cause)
            {
                throw new InvalidOperationException("the effect", cause);
            }
        }
    }

    private static int Throw(string kind) => throw HostileException.Create(kind);

    private static void AssertFailed(string kind, TaskError error)
    {
        Assert.Equal(ErrorReason.HandlerFailed, error.Reason);
        Assert.Contains(kind switch
        {
            "a long chain" => "System.InvalidOperationException",
            "a long chain of aggregates" or "a wide aggregate" => "System.AggregateException",
            "cancelled with a message that throws" => "HostileCancellation",
            _ => "Orchestrator.TestKit.HostileException",
        }, error.Type, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 0, 20_000);
        Assert.InRange(error.StackTrace.Length, 0, 70_000);
        Assert.Equal(error, TaskError.Parser.ParseFrom(Google.Protobuf.MessageExtensions.ToByteArray(error)));
    }
}

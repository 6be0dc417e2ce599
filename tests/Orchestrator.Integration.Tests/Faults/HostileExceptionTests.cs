using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>
/// Part 5, 4: an exception is user code. Whatever its members do, its task fails as HANDLER_FAILED with the type's name, and nothing else
/// is harmed.
/// </summary>
public sealed class HostileExceptionTests
{
    [Fact]
    public async Task Fifty_neighbours_in_the_same_process_do_not_feel_it()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            ["--workers", "1", .. TestWorker.Arguments(Environment.ProcessPath!)]);
        var worker = (await coordinator.WorkersAsync()).Single();
        var neighbours = await coordinator.SubmitAsync(Enumerable.Range(0, 50).Select(_ => Specs.Json("wait", "2000")));
        foreach (var handler in new[] { "hostile", "hostile_io" })
        {
            foreach (var kind in HostileException.Kinds)
                AssertFailed(kind, (await coordinator.RunAsync(Specs.Json(handler, $"\"{kind}\""))).Error);
        }

        // The same for logged exceptions.
        foreach (var kind in HostileException.Kinds)
            Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("hostile_log", $"\"{kind}\""))).State);
        Assert.All(
            await coordinator.WaitAsync(neighbours), result => Assert.Equal((TaskState.Succeeded, 1), (result.State, result.Attempt)));
        Assert.Equal(worker.Pid, (await coordinator.WorkersAsync()).Single().Pid);
    }

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

using Orchestrator.V1;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tasks;
using HandlerKind = Orchestrator.Worker.Tasks.HandlerKind;

namespace Orchestrator.Worker.Tests.Execution;

public sealed class FlightRecorderTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    [Fact]
    public async Task A_slot_says_whether_user_code_has_started_and_ended()
    {
        await File.WriteAllBytesAsync(_path, new byte[8], TestContext.Current.CancellationToken);
        using var recorder = FlightRecorder.Open(_path);
        byte during = 99;
        byte atResult = 99;
        var gate = new Gate();
        await using var fixture = new ExecutorFixture(
            r => r.MapTask("look", (int _) =>
            {
                during = Slot(3);
                gate.Block();
                return 0;
            }),
            recorder: recorder);
        fixture.Sink.OnCompleted = result => atResult = Slot(3);
        var first = fixture.Assign("look", "0", slot: 3);
        var second = fixture.Assign("look", "0", slot: 5);
        fixture.Start(first, second);
        await gate.Entered;
        Assert.Equal(FlightRecorder.Started, during);
        Assert.Equal(FlightRecorder.Assigned, Slot(5));
        fixture.Executor.GiveBack([new() { TaskId = second.TaskId, Attempt = 1 }]);
        gate.Open();
        await fixture.Sink.ResultAsync(first);
        Assert.Equal(FlightRecorder.Ended, atResult);
        Assert.Equal(FlightRecorder.Assigned, Slot(5));
    }

    [Fact]
    public async Task A_slot_that_does_not_exist_fails_the_attempt_before_it_runs()
    {
        await File.WriteAllBytesAsync(_path, new byte[8], TestContext.Current.CancellationToken);
        using var recorder = FlightRecorder.Open(_path);
        await using var fixture = new ExecutorFixture(
            r =>
            {
                r.MapTask("cpu", int (int _) => throw new InvalidOperationException("It must not run."));
                r.MapTask("io", int (int _) => throw new InvalidOperationException("It must not run."), new() { Kind = HandlerKind.Io });
            },
            recorder: recorder);
        foreach (var handler in new[] { "cpu", "io" })
            Assert.Equal(ErrorReason.Invalid, (await fixture.RunAsync(fixture.Assign(handler, "0", slot: 8))).Error!.Reason);
    }

    public void Dispose() => File.Delete(_path);

    private byte Slot(int slot)
    {
        using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = slot;
        return (byte)file.ReadByte();
    }
}

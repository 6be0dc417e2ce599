using Google.Protobuf;
using Orchestrator.Client.Contract;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.TestKit;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Tests.Mapping;

/// <summary>Messages of workers that are damaged at random are read, or reported as damaged.</summary>
public sealed class WorkerMessageFuzzTests
{
    private const int Seed = 20_250_611;

    [Fact]
    public void The_first_message_of_a_worker()
    {
        var hello = new RawExecuteResponse
        {
            Hello = new Hello
            {
                Name = "worker-1",
                Pid = 42,
                CpuSlots = 1,
                IoSlots = 100,
                BlockingSlots = 4,
                RecordsFlight = true,
                Handlers = { new V1.HandlerInfo { Name = "echo", Description = "says it again" }, new V1.HandlerInfo { Name = "sum" } },
            },
        };
        Mutations.Read(
            Seed,
            bytes =>
            {
                var items = new RepeatedFieldReader<RawExecuteResponse>(bytes, RawAttemptResult.Field);
                while (items.Next(out _))
                {
                }

                return items.Rest?.Hello is { } known ? known.Handlers.Select(HandlerOffers.Of).ToArray() : null;
            },
            exception => exception is InvalidDataException,
            hello.ToByteArray());
    }

    [Fact]
    public void What_a_worker_reports()
    {
        var report = new ExecuteResponse
        {
            Results =
            {
                new AttemptResult { TaskId = 7, Attempt = 1, Output = Payloads.FromJson("""{"a": [1, 2.5, "x", null, true]}""") },
                new AttemptResult { TaskId = 8, Attempt = 2,
                    Error = new V1.TaskError { Reason = V1.ErrorReason.HandlerFailed, Message = "it threw" } },
            },
            Vitals = new Vitals { RssBytes = 1 << 20, Threads = 12 },
            Returned = { new AttemptRef { TaskId = 9, Attempt = 1 } },
        };
        Mutations.Read(
            Seed,
            bytes =>
            {
                var reports = new List<Core.Tasks.AttemptReport>();
                var items = new RepeatedFieldReader<RawExecuteResponse>(bytes, RawAttemptResult.Field);
                while (items.Next(out var item))
                    reports.Add(WorkerMessageMapper.ToReport(RawAttemptResult.Read(item), int.MaxValue));
                if (items.Rest is { } rest)
                    return (WorkerMessageMapper.ToIds(rest.Returned), WorkerMessageMapper.ToUpdate(rest.Events, int.MaxValue));
                return reports;
            },
            exception => exception is InvalidDataException,
            report.ToByteArray());
    }

    [Fact]
    public void An_output_that_is_no_payload_is_told_and_breaks_nothing()
    {
        var engine = new Core.Tasks.TaskEngine(new Core.TaskModel.TaskEngineOptions());
        var effects = new Core.TaskModel.TaskEffects();
        engine.Apply(
            new Core.Tasks.TaskCommand.WorkerJoined(
                new Core.TaskModel.WorkerDescription("w#1", Core.TaskModel.PlacementPolicy.WorkerProcess, 1, 1, 1, 16, false),
                [new("cpu", Core.TaskModel.WorkKind.Cpu, null)]),
            TimeSpan.FromSeconds(1),
            effects);
        engine.Apply(new Core.Tasks.TaskCommand.Submit([
            new Core.TaskModel.TaskSubmission("cpu", Core.TaskModel.TaskPolicy.Default, null, 0)], null), TimeSpan.FromSeconds(1), effects);
        var task = effects.Submitted.Single().Task!;
        engine.Apply(
            new Core.Tasks.TaskCommand.Report(effects.Joined!, [
                new Core.Tasks.AttemptReport(task.Id, 1, ByteString.CopyFrom(0x0f, 0xff), 2, null, 10)]), TimeSpan.FromSeconds(2), effects);
        var results = new Coordinator.Mapping.TaskResultMapper(new MonotonicClock(TimeProvider.System));
        var info = results.ToInfo(task, withOutput: true);
        Assert.Equal(V1.TaskState.Succeeded, info.State);
        Assert.Null(info.Result.Output);
        Assert.Contains("output of 2 bytes is no payload", info.Result.Error.Message, StringComparison.Ordinal);
        Assert.Null(results.ToInfo(task, withOutput: false).Result.Error);
    }
}

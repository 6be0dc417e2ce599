using Google.Protobuf;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Tests.Mapping;

/// <summary>A worker in any language may send more than the coordinator passes on.</summary>
public sealed class WorkerOutputLimitTests
{
    private const int Limit = 10_000;

    [Theory]
    [InlineData(Limit, false)]
    [InlineData(Limit + 1, true)]
    public void An_output_beyond_the_limit_fails_its_task(int bytes, bool fails)
    {
        var report = WorkerMessageMapper.ToReport(new RawAttemptResult { TaskId = 7, Attempt = 1, Output = PayloadOf(bytes) }, Limit);
        Assert.Equal(fails ? FailureReason.LimitExceeded : null, report.Failure?.Reason);
        Assert.Equal(fails ? 0 : bytes, report.OutputBytes);
        if (fails)
        {
            Assert.Null(report.Output);
            Assert.Contains("has 10,001 bytes; the limit (payload_bytes) is 10,000", report.Failure!.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(Limit, TaskEventKind.PartialOutput)]
    [InlineData(Limit + 1, TaskEventKind.Log)]
    public void A_partial_output_beyond_the_limit_is_a_warning_in_its_place(int bytes, TaskEventKind kind)
    {
        var update = WorkerMessageMapper.ToUpdate(
            new RawAttemptEvent { TaskId = 7, Attempt = 1, PartialOutput = PayloadOf(bytes) }, Limit)!.Value;
        Assert.Equal(kind, update.Kind);
        if (update.Content is LogLine line)
            Assert.Contains("has 10,001 bytes; the limit (payload_bytes) is 10,000", line.Message, StringComparison.Ordinal);
    }

    /// <summary>An encoded payload of so many bytes: its tag and a length of two bytes are among them.</summary>
    private static ByteString PayloadOf(int bytes)
    {
        var payload = new Payload { Data = ByteString.CopyFrom(new byte[bytes - 3]) }.ToByteString();
        Assert.Equal(bytes, payload.Length);
        return payload;
    }
}

using Orchestrator.Core.Kernel;
using Orchestrator.Core.Pipes;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Short forms of pipe operations: a message's payload is its number, and counts for 10 bytes.</summary>
internal static class PipeCalls
{
    public static Call Send(this ObjectHarness harness, PipeEnd end, Session? session, TimeSpan? timeout, params int[] numbers) =>
        harness.Apply(new SendMessages(
            "p", end, Array.ConvertAll(numbers, number => new Content(number, 10)))
        { Session = session, Timeout = timeout });

    public static Call Send(this ObjectHarness harness, PipeEnd end, params int[] numbers) => harness.Send(end, null, null, numbers);

    public static Call Receive(
        this ObjectHarness harness, PipeEnd end, int most = 1, Session? session = null, TimeSpan? timeout = null, bool peek = false) =>
        harness.Apply(new ReceiveMessages("p", end, most) { Session = session, Timeout = timeout, Peek = peek });

    public static Call Close(this ObjectHarness harness, PipeEnd end, Session? session = null) =>
        harness.Apply(new ClosePipeEnd("p", end) { Session = session });

    public static PipeInfo CreatePipe(this ObjectHarness harness, bool duplex = true, int most = 0, long bytes = 0) =>
        harness.Apply(new CreatePipe(new PipeSpec("p", duplex) { MaxMessages = most, MaxBytes = bytes })).Get<CreatePipeOutcome>().Pipe;

    /// <summary>The messages of a receive.</summary>
    public static int[] Received(this Call call) => [.. call.Get<ReceiveOutcome>().Messages.Select(message => (int)message.Body)];

    public static PipeStatus Status(this Call call) => call.Outcome is SendOutcome send ? send.Status : call.Get<ReceiveOutcome>().Status;
}

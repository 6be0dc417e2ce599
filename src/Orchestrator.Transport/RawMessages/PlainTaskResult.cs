using Google.Protobuf;
using Orchestrator.V1;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// An <c>orchestrator.v1.TaskResult</c> without error and timing, for writing only; any other result is a
/// <see cref="RawTaskResult"/>.
/// </summary>
internal readonly record struct PlainTaskResult(ulong TaskId, ulong Tag, TaskState State, ByteString Output, string Worker, int Attempt)
    : IWireItem
{
    /// <summary>The field of <c>StreamTasksResponse</c> that holds these.</summary>
    public const int Field = 1;

    /// <inheritdoc/>
    public int SizeAtMost => (6 * FieldWriter.SizeOfNumber) + FieldWriter.SizeOf(Output) + (3 * Worker.Length);

    /// <inheritdoc/>
    public void WriteTo(ref FieldWriter writer)
    {
        writer.Write(1, TaskId);
        writer.Write(2, Tag);
        writer.Write(3, (int)State);
        writer.Write(4, Output);
        writer.Write(6, Worker);
        writer.Write(7, Attempt);
    }
}

/// <summary>A generated message as an item.</summary>
internal readonly record struct MessageItem(IMessage Message) : IWireItem
{
    /// <inheritdoc/>
    public int SizeAtMost => Message.CalculateSize();

    /// <inheritdoc/>
    public void WriteTo(ref FieldWriter writer) => writer.WriteFields(Message, Message.CalculateSize());
}

using Google.Protobuf;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// Reads a message that consists mostly of one repeated field: its items are returned as bytes, and the rest is parsed as a message.
/// </summary>
/// <typeparam name="TRest">The message without the items.</typeparam>
internal ref struct RepeatedFieldReader<TRest>(ReceivedBytes message, int itemField)
    where TRest : class, IMessage<TRest>, new()
{
    private readonly ReadOnlySpan<byte> _message = message.Span;
    private readonly uint _itemTag = FieldReader.LengthTag(itemField);
    private FieldReader _reader = new(message);

    /// <summary>The other fields, complete once there are no more items; null if there were none.</summary>
    public TRest? Rest { get; private set; }

    /// <summary>The next item's bytes.</summary>
    /// <exception cref="InvalidDataException">The bytes are no such message.</exception>
    public bool Next(out ReceivedBytes item)
    {
        var begin = _reader.Position;
        while (!_reader.AtEnd)
        {
            var end = _reader.Position;
            var tag = _reader.ReadTag();
            if (tag == _itemTag)
            {
                item = _reader.ReadReceived();
                MergeRest(begin, end);
                return true;
            }

            _reader.Skip(tag);
        }

        item = default;
        MergeRest(begin, _message.Length);
        return false;
    }

    private void MergeRest(int begin, int end)
    {
        if (begin < end)
            Rest = FieldReader.Merge(Rest, _message[begin..end]);
    }
}

namespace Orchestrator.Transport.RawMessages;

/// <summary>A message that handwritten code writes as an item of another.</summary>
internal interface IWireItem
{
    /// <summary>An upper bound of its size, close to the actual size: see <see cref="MessageBuffer.ItemSlack"/>.</summary>
    int SizeAtMost { get; }

    /// <summary>Writes its fields in the order of their numbers.</summary>
    void WriteTo(ref FieldWriter writer);
}

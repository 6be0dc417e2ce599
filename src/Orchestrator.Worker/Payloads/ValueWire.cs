namespace Orchestrator.Worker.Payloads;

/// <summary>Tags of <c>orchestrator.v1.Payload</c> and of <c>google/protobuf/struct.proto</c>.</summary>
internal static class ValueWire
{
    public const byte PayloadData = (1 << 3) | WireReader.Length;
    public const byte PayloadJson = (2 << 3) | WireReader.Length;

    public const byte Null = (1 << 3) | WireReader.Varint;
    public const byte Number = (2 << 3) | WireReader.Fixed64;
    public const byte String = (3 << 3) | WireReader.Length;
    public const byte Bool = (4 << 3) | WireReader.Varint;
    public const byte Struct = (5 << 3) | WireReader.Length;
    public const byte List = (6 << 3) | WireReader.Length;

    public const byte StructField = (1 << 3) | WireReader.Length;
    public const byte EntryKey = (1 << 3) | WireReader.Length;
    public const byte EntryValue = (2 << 3) | WireReader.Length;
    public const byte ListValue = (1 << 3) | WireReader.Length;

    /// <summary>Up to here every integer has its own double.</summary>
    public const long MaxExactInteger = 1L << 53;

    /// <summary>The depth that System.Text.Json reads by default.</summary>
    public const int MaxDepth = 64;
}

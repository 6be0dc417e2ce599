using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.V1;
using Record = Orchestrator.Coordinator.Journal.Wire.Record;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>Records of earlier versions that are nested deeper than a request may be.</summary>
public sealed class NestedRecordTests
{
    [Fact]
    public void The_journal_reads_what_earlier_versions_have_written()
    {
        var record = new Record
        {
            Changes = { new Change { QueueChanged = new QueueChanged { Queue = "q", Counts = new QueueCounts(),
                Puts = { new KeptItem { Sequence = 1, Body = Arrays(48) } } } } },
        };
        var bytes = record.ToByteArray();
        Assert.Throws<InvalidProtocolBufferException>(() => Record.Parser.ParseFrom(bytes));
        Assert.Equal(record, JournalMessages.Parse(Record.Parser, bytes));
        Assert.Throws<InvalidProtocolBufferException>(() => JournalMessages.Parse(Record.Parser, bytes[..^1]));
    }

    internal static Payload Arrays(int levels) => Nest(levels, inner => new Value { ListValue = new ListValue { Values = { inner } } });

    private static Payload Nest(int levels, Func<Value, Value> around)
    {
        var value = Value.ForNumber(1);
        for (var level = 0; level < levels; level++)
            value = around(value);
        return new Payload { Json = value };
    }
}

using Orchestrator.Core.State;
using static Orchestrator.Core.Tests.Objects.StateCalls;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>What a dict's entries and the orders of its entries take is what they count for.</summary>
[Collection(nameof(MeasuresTheHeap))]
public sealed class DictMemoryTests
{
    private const int Entries = 100_000;

    [Fact]
    public void An_entry_and_its_place_in_the_order_of_keys_take_no_more_than_they_count_for()
    {
        var harness = Harness(new StateOptions { HistoryChanges = 1 });
        var value = JsonEditor.Json("1");
        harness.Dict(Set("first", "1"));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var counted = harness.View.KeptBytes;
        for (var i = 0; i < Entries; i += 500)
        {
            var keys = Enumerable.Range(i, 500).Select(n => $"key-{n * 7919L % 1_000_003}");
            harness.Apply(new UpdateDict("d", [.. keys.Select(key => new DictEdit(DictOperation.Set, key) { Value = value })]));
        }

        Check("entries");
        harness.View.ReadDict(new DictQuery("d") { KeyPrefix = "key-5", MaxEntries = 10 }, harness.Now);
        Check("entries in the order of keys");
        var withOrder = harness.View.KeptBytes;
        for (var i = 0; i < 3 * Entries; i += 500)
        {
            harness.Dict([.. Enumerable.Range(i, 500).Select(n => Set($"other-{n % 500}", "1"))]);
            harness.Dict([.. Enumerable.Range(i, 500).Select(n => Delete($"other-{n % 500}"))]);
        }

        // Nobody has asked for it while as much has changed as it takes to build it.
        Assert.InRange(withOrder - harness.View.KeptBytes - (DictOrder<string>.EntryBytes * (Entries + 1)), -10, 10);
        Check("entries without an order again");

        void Check(string what)
        {
            harness.Completed.Clear();
            harness.Effects.Clear();
            var taken = GC.GetTotalMemory(forceFullCollection: true) - before;
            var claimed = harness.View.KeptBytes - counted;
            Assert.True(taken <= claimed, $"{what}: {taken / Entries} bytes each, of which {claimed / Entries} count");
            Assert.True(taken > 0.5 * claimed, $"{what}: {taken / Entries} bytes each, and {claimed / Entries} count");
        }
    }
}

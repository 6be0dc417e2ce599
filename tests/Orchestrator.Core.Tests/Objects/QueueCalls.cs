using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Short forms of queue operations: an item's payload is its number.</summary>
internal static class QueueCalls
{
    public static QueueInfo CreateQueue(this ObjectHarness harness, QueueSpec spec) =>
        harness.Apply(new CreateQueue(spec)).Get<CreateQueueOutcome>().Queue;

    public static Call Put(this ObjectHarness harness, string queue, params int[] numbers) =>
        harness.Apply(new PutItems(queue, Items(numbers)));

    public static Call Put(this ObjectHarness harness, string queue, TimeSpan? timeout, Session? session, params int[] numbers) =>
        harness.Apply(new PutItems(queue, Items(numbers)) { Timeout = timeout, Session = session });

    public static Call Get(this ObjectHarness harness, string queue, int most = 1, TimeSpan? timeout = null, Session? session = null) =>
        harness.Apply(new GetItems(queue, most) { Timeout = timeout, Session = session });

    public static Call Lease(
        this ObjectHarness harness, Session? session, string queue, int most = 1, TimeSpan? lease = null, TimeSpan? timeout = null) =>
        harness.Apply(new GetItems(queue, most, Leased: true) { Session = session, Lease = lease, Timeout = timeout });

    public static Call Settle(this ObjectHarness harness, string queue, Settlement settlement, IReadOnlyList<ulong> leases,
        TimeSpan? duration = null, string reason = "") =>
        harness.Apply(new SettleItems(queue, leases, settlement) { Duration = duration, Reason = reason });

    public static Call Join(this ObjectHarness harness, string queue, TimeSpan? timeout = null, Session? session = null) =>
        harness.Apply(new JoinQueue(queue) { Timeout = timeout, Session = session });

    public static QueueInfo Queue(this ObjectHarness harness, string queue) => harness.View.FindQueue(queue, harness.Now)!;

    public static PutItem[] Items(params int[] numbers) => Array.ConvertAll(numbers, number => new PutItem(new Content(number, 10)));

    /// <summary>The items of a get.</summary>
    public static int[] Numbers(this Call call) => [.. call.Get<GetOutcome>().Items.Select(item => (int)item.Body.Body)];

    public static ulong[] Leases(this Call call) => [.. call.Get<GetOutcome>().Items.Select(item => item.LeaseId)];

    public static int[] Deliveries(this Call call) => [.. call.Get<GetOutcome>().Items.Select(item => item.Delivery)];
}

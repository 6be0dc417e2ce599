using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Reference model of queues: plain lists that are searched anew at each step.</summary>
internal sealed class QueueModel(QueueKind kind, int maxItems, int maxDeliveries, long aging)
{
    private int _sequence;
    private int _created;

    public List<Item> Ready { get; } = [];

    public List<Item> Away { get; } = [];

    public List<Request> Getters { get; } = [];

    public List<Request> Putters { get; } = [];

    public List<Request> Joiners { get; } = [];

    public List<Item> Dead { get; } = [];

    public List<(int Request, string Result)> Ended { get; } = [];

    public int Unfinished { get; private set; }

    public int Dropped { get; private set; }

    public bool IsShutDown { get; private set; }

    public bool IsEmptied { get; private set; }

    private bool HasRoom => Ready.Count + Away.Count < maxItems;

    public void Put(Request request, long now, bool waits)
    {
        if (IsShutDown)
        {
            End(request, "shut down 0");
            return;
        }

        request.Created = ++_created;
        Putters.Add(request);
        Serve(now);
        if (Putters.Contains(request) && !waits)
            TimeOut(request, now);
    }

    public void Get(Request request, long now, bool waits)
    {
        if (Ready.Count == 0 && (IsShutDown || !waits))
        {
            End(request, IsShutDown ? "shut down" : "timeout");
            return;
        }

        request.Created = ++_created;
        Getters.Add(request);
        Serve(now);
    }

    public void Join(Request request, long now, bool waits)
    {
        request.Created = ++_created;
        Joiners.Add(request);
        Serve(now);
        if (Joiners.Contains(request) && !waits)
            TimeOut(request, now);
    }

    public void Settle(Item item, Settlement how, long duration, long now)
    {
        switch (how)
        {
            case Settlement.Extend:
                item.Ends = now + duration;
                return;
            case Settlement.Return when duration > 0 && !IsWornOut(item) && !IsEmptied:
                (item.Session, item.Ends) = (-1, now + duration);
                return;
            case Settlement.Return:
                ComeBack(item);
                return;
            case Settlement.Reject:
                Away.Remove(item);
                Dead.Add(item);
                break;
            default:
                Away.Remove(item);
                break;
        }

        Unfinished = Math.Max(0, Unfinished - 1);
    }

    public bool MarkDone(int count, long now)
    {
        if (count > Unfinished)
            return false;
        Unfinished -= count;
        Serve(now);
        return true;
    }

    public void GiveBack(IEnumerable<Item> items, bool leased, long now)
    {
        foreach (var item in items)
        {
            if (leased && (!Away.Contains(item) || item.Session < 0 || item.Lease != item.LeaseGivenBack))
                continue;
            item.Deliveries--;
            Away.Remove(item);
            Return(item);
        }

        Serve(now);
    }

    public int ShutDown(bool immediate, long now)
    {
        IsShutDown = true;
        var dropped = 0;
        if (immediate)
        {
            IsEmptied = true;
            dropped = Ready.Count + Away.RemoveAll(item => item.Session < 0);
            Ready.Clear();
            Dropped += dropped;
            Unfinished = Math.Max(0, Unfinished - dropped);
        }

        Getters.ForEach(getter => End(getter, "shut down"));
        Putters.ForEach(putter => End(putter, $"shut down {putter.Accepted}"));
        Getters.Clear();
        Putters.Clear();
        Serve(now);
        return dropped;
    }

    public void Abandon(Request request, long now)
    {
        Remove(request);
        Serve(now);
    }

    public void EndSession(int session, long now)
    {
        var waits = Waiting.Where(wait => wait.Session == session).ToArray();
        foreach (var wait in waits)
        {
            Remove(wait);
            End(wait, "session lost");
        }

        foreach (var item in Away.Where(item => item.Session == session).ToArray())
            ComeBack(item);
        Serve(now);
    }

    public void RawTime(long now)
    {
        while (true)
        {
            var wait = Waiting.Where(wait => wait.Deadline <= now).OrderBy(wait => wait.Deadline).ThenBy(wait => wait.Created)
                .FirstOrDefault();
            var item = Away.Where(item => item.Ends <= now).OrderBy(item => item.Ends).ThenBy(item => item.Created).FirstOrDefault();
            if (wait is null && item is null)
                return;
            if (item is null || (wait is not null && (wait.Deadline, wait.Created).CompareTo((item.Ends, item.Created)) < 0))
                TimeOut(wait!, now);
            else if (item.Session < 0)
                Away.Remove(Back(item));
            else
                ComeBack(item);
            Serve(now);
        }
    }

    public IEnumerable<Request> Waiting => Getters.Concat(Putters).Concat(Joiners);

    private void TimeOut(Request request, long now)
    {
        Remove(request);
        End(request, request.Kind switch { "put" => $"timeout {request.Accepted}", "join" => $"timeout {Unfinished}", _ => "timeout" });
        Serve(now);
    }

    private void Serve(long now)
    {
        for (var again = true; again;)
        {
            again = false;
            while (Unfinished == 0 && Joiners.Count > 0)
                End(Shift(Joiners), "ok");
            while (Ready.Count > 0 && Getters.Count > 0)
                Grant(Shift(Getters), now);
            while (Putters.Count > 0 && HasRoom)
            {
                again = true;
                var put = Putters[0];
                var (number, priority) = put.Items[put.Accepted++];
                Ready.Add(new Item(number, ++_sequence, priority, now));
                Unfinished++;
                if (put.Accepted == put.Items.Length)
                    End(Shift(Putters), "ok");
            }
        }
    }

    private void Grant(Request getter, long now)
    {
        while (getter.Taken.Count < getter.Most && Ready.Count > 0)
        {
            var item = First();
            Ready.Remove(item);
            item.Deliveries++;
            item.IsBack = false;
            getter.Taken.Add(item);
            getter.Sequences.Add(item.Deliveries);
            if (!getter.IsLeased)
                continue;
            (item.Session, item.Ends, item.Created, item.Lease) =
                (getter.Session, getter.Lease == 0 ? long.MaxValue : now + getter.Lease, ++_created, getter.Number);
            Away.Add(item);
        }

        End(getter, $"ok {string.Join(' ', getter.Taken.Select(item => $"{item.Number}/{item.Deliveries}"))}");
    }

    private Item First() => kind switch
    {
        QueueKind.Fifo => Ready.OrderBy(item => !item.IsBack).ThenBy(item => item.Sequence).First(),
        QueueKind.Lifo => Ready.OrderBy(item => !item.IsBack).ThenByDescending(item => item.Sequence).First(),
        _ => Ready.OrderBy(item => aging == 0 ? item.Priority : (item.Priority * aging) + item.PutAt).ThenBy(item => item.Sequence).First(),
    };

    private void ComeBack(Item item)
    {
        Away.Remove(item);
        if (!IsWornOut(item) || IsEmptied)
        {
            Return(item);
            return;
        }

        Dead.Add(item);
        Unfinished = Math.Max(0, Unfinished - 1);
    }

    private Item Back(Item item)
    {
        Return(item);
        return item;
    }

    private void Return(Item item)
    {
        item.IsBack = true;
        if (!IsEmptied)
        {
            Ready.Add(item);
            return;
        }

        Dropped++;
        Unfinished = Math.Max(0, Unfinished - 1);
    }

    private bool IsWornOut(Item item) => maxDeliveries > 0 && item.Deliveries >= maxDeliveries;

    private void End(Request request, string result) => Ended.Add((request.Number, result));

    private void Remove(Request request)
    {
        Getters.Remove(request);
        Putters.Remove(request);
        Joiners.Remove(request);
    }

    private static Request Shift(List<Request> list)
    {
        var first = list[0];
        list.RemoveAt(0);
        return first;
    }

    public sealed class Item(int number, int sequence, long priority, long putAt)
    {
        public int Number => number;

        public int Sequence => sequence;

        public long Priority => priority;

        public long PutAt => putAt;

        public int Deliveries { get; set; }

        public bool IsBack { get; set; }

        /// <summary>The session that leased it; -1 while it is delayed.</summary>
        public int Session { get; set; }

        public long Ends { get; set; }

        public int Created { get; set; }

        /// <summary>The request that leased it.</summary>
        public int Lease { get; set; }

        public int LeaseGivenBack { get; set; }
    }

    public sealed class Request(int number, string kind, int session, long deadline)
    {
        public int Number => number;

        public string Kind => kind;

        public int Session => session;

        public long Deadline => deadline;

        public int Created { get; set; }

        public (int Number, long Priority)[] Items { get; init; } = [];

        public int Accepted { get; set; }

        public int Most { get; init; }

        public bool IsLeased { get; init; }

        public long Lease { get; init; }

        public List<Item> Taken { get; } = [];

        public List<int> Sequences { get; } = [];
    }
}

using Orchestrator.Core.Pipes;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Reference model of one pipe.</summary>
internal sealed class PipeModel(int most)
{
    private readonly Side[] _sides = [new(), new()];
    private int _created;

    public List<(int Request, string Result)> Ended { get; } = [];

    public bool IsOver => _sides[0].IsClosed && _sides[1].IsClosed;

    public IEnumerable<Request> Waiting => _sides.SelectMany(side => side.Receivers.Concat(side.Senders));

    public int Buffered(PipeEnd end) => _sides[Index(end)].Buffer.Count;

    public void Send(Request request, bool waits)
    {
        var side = _sides[request.End];
        if (side.IsClosed || _sides[1 - request.End].IsClosed)
        {
            Ended.Add((request.Number, side.IsClosed ? "closed" : "broken 0"));
            return;
        }

        request.Created = ++_created;
        side.Senders.Add(request);
        Serve();
        if (side.Senders.Contains(request) && !waits)
            TimeOut(request);
    }

    public void Receive(Request request, bool waits)
    {
        var side = _sides[request.End];
        if (side.IsClosed)
        {
            Ended.Add((request.Number, "closed"));
            return;
        }

        request.Created = ++_created;
        side.Receivers.Add(request);
        Serve();
        if (!side.Receivers.Contains(request))
            return;
        if (_sides[1 - request.End].IsClosed)
            EndReceivers(side, "end of file");
        else if (!waits)
            TimeOut(request);
    }

    public void GiveBack(Request request)
    {
        var side = _sides[request.End];
        if (side.IsClosed)
            return;
        side.Buffer.AddRange(request.Taken);
        side.Buffer.Sort();
        Serve();
    }

    public void Close(int index, string own)
    {
        var (side, peer) = (_sides[index], _sides[1 - index]);
        if (side.IsClosed)
            return;
        side.IsClosed = true;
        side.Buffer.Clear();
        side.Senders.ForEach(sender => Ended.Add((sender.Number, own == "closed" && sender.Sent > 0 ? $"broken {sender.Sent}" : own)));
        side.Senders.Clear();
        EndReceivers(side, own);
        peer.Senders.ForEach(sender => Ended.Add((sender.Number, $"broken {sender.Sent}")));
        peer.Senders.Clear();
        EndReceivers(peer, "end of file");
    }

    public void Abandon(Request request)
    {
        _sides[request.End].Senders.Remove(request);
        _sides[request.End].Receivers.Remove(request);
        Serve();
    }

    public void RawTime(long now)
    {
        while (Waiting.Where(wait => wait.Deadline <= now).OrderBy(wait => wait.Deadline).ThenBy(wait => wait.Created)
            .FirstOrDefault() is { } wait)
            TimeOut(wait);
    }

    private static int Index(PipeEnd end) => end == PipeEnd.A ? 0 : 1;

    private void TimeOut(Request request)
    {
        Ended.Add((request.Number, request.IsSend ? $"timeout {request.Sent}" : "timeout"));
        Abandon(request);
    }

    private void EndReceivers(Side side, string result)
    {
        side.Receivers.ForEach(receiver => Ended.Add((receiver.Number, result)));
        side.Receivers.Clear();
    }

    private void Serve()
    {
        for (var again = true; again;)
        {
            again = false;
            foreach (var (from, to) in new[] { (_sides[0], _sides[1]), (_sides[1], _sides[0]) })
            {
                while (to.Receivers.Count > 0 && to.Buffer.Count > 0)
                    Grant(to);
                while (from.Senders.Count > 0 && to.Buffer.Count < most)
                {
                    again = true;
                    var sender = from.Senders[0];
                    to.Buffer.Add((++to.Sequence, sender.Numbers[sender.Sent++]));
                    if (sender.Sent < sender.Numbers.Length)
                        continue;
                    Ended.Add((sender.Number, "ok"));
                    from.Senders.RemoveAt(0);
                }
            }
        }
    }

    private void Grant(Side side)
    {
        var receiver = side.Receivers[0];
        side.Receivers.RemoveAt(0);
        if (!receiver.IsPeek)
        {
            receiver.Taken.AddRange(side.Buffer.Take(receiver.Most));
            side.Buffer.RemoveRange(0, receiver.Taken.Count);
        }

        Ended.Add((receiver.Number, $"ok {string.Join(' ', receiver.Taken.Select(taken => taken.Number))} of {side.Buffer.Count}"));
    }

    public sealed class Request(int number, int end, bool isSend, long deadline)
    {
        public int Number => number;

        /// <summary>0 for end A, 1 for end B.</summary>
        public int End => end;

        public bool IsSend => isSend;

        public long Deadline => deadline;

        public int Created { get; set; }

        public int[] Numbers { get; init; } = [];

        public int Sent { get; set; }

        public int Most { get; init; }

        public bool IsPeek { get; init; }

        public List<(int Sequence, int Number)> Taken { get; } = [];
    }

    private sealed class Side
    {
        public List<(int Sequence, int Number)> Buffer { get; } = [];

        public List<Request> Senders { get; } = [];

        public List<Request> Receivers { get; } = [];

        public bool IsClosed { get; set; }

        public int Sequence { get; set; }
    }
}

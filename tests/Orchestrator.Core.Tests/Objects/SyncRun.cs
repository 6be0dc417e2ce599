using CsCheck;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Reference model of a primitive. Requests and sessions are numbers.</summary>
internal interface ISyncModel
{
    /// <summary>How each request ended since the last read, in order.</summary>
    List<(int Request, string Result)> Ended { get; }

    IEnumerable<int> Waiting { get; }

    int Objects { get; }

    void Apply(int request, long session, ObjectCommand command, long now);

    void Advance(long now);

    void Abandon(int request);

    void GiveBack(int request);

    void End(long session);
}

/// <summary>
/// The same random commands for the engine and a model, mixed with ticks, callers that leave before and after their grant, repeated
/// operations, and dying sessions: the same requests must end in the same order and in the same way, and nothing may be left over.
/// </summary>
internal abstract class SyncRun(ISyncModel model)
{
    private const int Sessions = 5;

    public static readonly Gen<(int Op, int A, int B)[]> Steps =
        Gen.Select(Gen.Int[0, 15], Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Array[1, 150];

    private readonly Session?[] _sessions = new Session?[Sessions];
    private readonly List<Session> _everySession = [];
    private readonly List<Call> _calls = [];
    private readonly List<ObjectCommand> _commands = [];
    private readonly HashSet<int> _forgotten = [];

    protected ObjectHarness Harness { get; } = new();

    /// <summary>Whether grants may be compensated.</summary>
    protected virtual bool GivesBack => true;

    /// <summary>Whether a session has at most one wait at a time, like a thread.</summary>
    protected virtual bool OneWaitPerSession => false;

    protected virtual TimeSpan Unit => TimeSpan.FromMilliseconds(1);

    /// <summary>Makes a command from these random numbers.</summary>
    protected abstract ObjectCommand Make(int a, int b);

    protected abstract string Show(int request, ObjectOutcome outcome);

    /// <summary>What must hold at the end.</summary>
    protected virtual void Finished()
    {
    }

    /// <summary>What must hold after every step besides the model's results.</summary>
    protected virtual void Check(IReadOnlyCollection<Session> live)
    {
    }

    public void Play((int Op, int A, int B)[] steps)
    {
        foreach (var (op, a, b) in steps)
            Step(op, a, b);
        foreach (var session in _sessions)
        {
            if (session is { HasEnded: false })
                End(session);
        }

        Assert.Equal((0, 0), (Harness.View.WaitCount, Harness.View.SessionCount));
        Assert.All(_everySession, session => Assert.Equal((0, 0), (session.HoldCount, session.WaitCount)));
        Finished();
    }

    private void Step(int op, int a, int b)
    {
        switch (op)
        {
            case <= 9:
                Act(Pick(a), a, b);
                break;
            case 10 or 11:
                for (var i = 0; i < a % 12; i++)
                {
                    Harness.Advance(Unit);
                    model.Advance(Harness.Now.Ticks);
                    Compare();
                }

                break;
            case 12 when Waiting() is { Length: > 0 } waiting:
                var request = waiting[a % waiting.Length];
                _forgotten.Add(request);
                Harness.Abandon(_calls[request]);
                model.Abandon(request);
                Compare();
                break;
            case 13 when GivesBack:
                GiveBack(a);
                break;
            case 14 when _calls.Count > 0:
                Repeat(_calls.Count - 1 - (a % Math.Min(_calls.Count, 10)));
                break;
            case 15 when b % 3 == 0:
                End(Pick(a));
                break;
        }
    }

    private void Act(Session session, int a, int b)
    {
        if (OneWaitPerSession && session.WaitCount > 0)
            return;
        var request = _calls.Count;
        var command = Make(a, b) with { Session = session, OperationId = (ulong)request };
        _commands.Add(command);
        _calls.Add(Harness.Apply(command));
        model.Apply(request, session.Order, command, Harness.Now.Ticks);
        Compare();
    }

    private void GiveBack(int a)
    {
        var recent = Enumerable.Range(0, _calls.Count).Where(i => _calls[i] is { Delivery.Granted: not null } && !_forgotten.Contains(i))
            .TakeLast(8).ToArray();
        if (recent.Length == 0)
            return;
        var request = recent[a % recent.Length];
        _forgotten.Add(request);
        Harness.Apply(new CompensateDelivery(_calls[request].Delivery!.Value));
        model.GiveBack(request);
        Compare();
    }

    /// <summary>Repeats a request: it changes nothing; while the first one waits, the later caller takes over the wait.</summary>
    private void Repeat(int request)
    {
        var (command, first) = (_commands[request], _calls[request]);
        if (_forgotten.Contains(request) || command.Session!.HasEnded)
            return;
        var again = Harness.Apply(command);
        if (first is { Wait.IsActive: true })
        {
            first.Fails(ObjectErrorReason.Cancelled);
            _calls[request] = again;
            Harness.Completed.Remove(first);
        }
        else
        {
            Assert.Same(first.Outcome, again.Outcome);
        }

        Compare();
    }

    private void End(Session session)
    {
        Harness.End(session);
        model.End(session.Order);
        Compare();
    }

    private int[] Waiting() => [.. Enumerable.Range(0, _calls.Count).Where(i => _calls[i].Wait is { IsActive: true })];

    private Session Pick(int a)
    {
        ref var session = ref _sessions[a % Sessions];
        if (session is not { HasEnded: false })
            _everySession.Add(session = Harness.Session($"s{a % Sessions}", TimeSpan.FromHours(1)));
        return session;
    }

    private void Compare()
    {
        var ended = new List<(int, string)>();
        foreach (var call in Harness.Completed)
        {
            var request = _calls.IndexOf(call);
            if (request < 0)
                continue;
            if (_commands[request].Session!.HasEnded)
                call.Fails(ObjectErrorReason.SessionLost);
            ended.Add((request, call.Outcome is ObjectError error ? error.Reason.ToString() : Show(request, call.Outcome)));
        }

        Assert.Equal(model.Ended, ended);
        model.Ended.Clear();
        Harness.Completed.Clear();
        Assert.Equal(model.Waiting.Order(), Waiting());
        Assert.Equal(model.Objects, Harness.View.ObjectCount);
        Check(Harness.View.Sessions);
    }
}

using System.Security.Cryptography;
using System.Text;
using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>
/// Owns everything that a client holds or waits for. Written only under the engine's lock; the properties that may be read without the lock
/// never change: <see cref="Id"/>, <see cref="DisplayName"/>, <see cref="Ttl"/>, <see cref="Task"/>.
/// </summary>
public sealed class Session : DeadlineNode
{
    // Marks of the wait-for graph: the pass in which the session, as one flow, was reached, and found to complete.
    internal long ReachedInPass;
    internal long DoneInPass;
    private string? _alias;

    internal Session(long order, string id, string displayName, TimeSpan? ttl, SessionTask? task)
        : base(order)
    {
        Id = id;
        DisplayName = displayName;
        Ttl = ttl;
        Task = task;
    }

    /// <summary>Its number in the order of creation.</summary>
    public long Number => Order;

    /// <summary>Its id, unique over all sessions of this engine.</summary>
    public string Id { get; }

    /// <summary>For people: shown wherever the session holds or waits.</summary>
    public string DisplayName { get; }

    /// <summary>How long it lives after the last sign of life; null where it lives as long as the task attempt it belongs to.</summary>
    public TimeSpan? Ttl { get; }

    /// <summary>The task attempt it belongs to, if any.</summary>
    public SessionTask? Task { get; }

    /// <summary>
    /// Whether a request that named no session created it: it lives for its lease, which starts with the grant, and ends earlier once it
    /// neither holds nor waits.
    /// </summary>
    public bool IsImplicit { get; internal init; }

    /// <summary>Set by the host: the channel to the listener for this session's notices. Opaque to the engine.</summary>
    public object? Channel { get; set; }

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => End is not null;

    /// <summary>Why it ended.</summary>
    public SessionEnd? End { get; internal set; }

    /// <summary>How many holds it has over all objects.</summary>
    public int HoldCount { get; private set; }

    /// <summary>How many of its commands wait.</summary>
    public int WaitCount { get; private set; }

    /// <summary>The client that it is charged to: its creator, or the submitter of its task. Null where no client is known.</summary>
    internal ClientObjectQuota? Client { get; set; }

    /// <summary>The account of that client; empty where none is known.</summary>
    public string ClientName => Client?.Name ?? "";

    /// <summary>
    /// A task attempt's session has no secret of its own: clients that act for tasks may use it. Any other session needs the
    /// credential that it was created with.
    /// </summary>
    internal bool MayBeUsedBy(ClientObjectQuota client) =>
        Task is not null ? client.ActsForTasks : Client is not { } owner || owner.Credential == client.Credential;

    /// <summary>How many streams keep it alive; while there is one, its time to live does not run.</summary>
    internal int Attachments { get; set; }

    internal Hold? FirstHold { get; private set; }

    internal Hold? LastHold { get; private set; }

    internal Wait? FirstWait { get; private set; }

    internal Wait? LastWait { get; private set; }

    internal ReplayTable<ulong>? Operations { get; set; }

    internal ReplayTable<string>? Requests { get; set; }

    internal void Link(Hold hold)
    {
        hold.SessionPrevious = LastHold;
        if (LastHold is { } last)
            last.SessionNext = hold;
        else
            FirstHold = hold;
        LastHold = hold;
        HoldCount++;
    }

    internal void Unlink(Hold hold)
    {
        if (hold.SessionPrevious is { } previous)
            previous.SessionNext = hold.SessionNext;
        else
            FirstHold = hold.SessionNext;
        if (hold.SessionNext is { } next)
            next.SessionPrevious = hold.SessionPrevious;
        else
            LastHold = hold.SessionPrevious;
        hold.SessionPrevious = hold.SessionNext = null;
        HoldCount--;
    }

    internal void Link(Wait wait)
    {
        wait.SessionPrevious = LastWait;
        if (LastWait is { } last)
            last.SessionNext = wait;
        else
            FirstWait = wait;
        LastWait = wait;
        WaitCount++;
    }

    internal void Unlink(Wait wait)
    {
        if (wait.SessionPrevious is { } previous)
            previous.SessionNext = wait.SessionNext;
        else
            FirstWait = wait.SessionNext;
        if (wait.SessionNext is { } next)
            next.SessionPrevious = wait.SessionPrevious;
        else
            LastWait = wait.SessionPrevious;
        wait.SessionPrevious = wait.SessionNext = null;
        WaitCount--;
    }

    /// <summary>
    /// The name shown to others, which must not learn the id that grants access: <c>s-</c> and the first 8 hexadecimal digits of the id's
    /// SHA-256. A task attempt's id is no secret, and is shown as it is.
    /// </summary>
    public string Alias =>
        _alias ??= Task is not null ? Id : $"s-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Id)))[..8]}";

    /// <summary>For messages: such as <c>s-3f786850 ("importer", task 12)</c>.</summary>
    public override string ToString()
    {
        var details = string.Join(", ", new[] { DisplayName.Length > 0 ? $"\"{DisplayName}\"" : "", Task is { } task
            ? $"task {task.TaskId}" : "" }.Where(text => text.Length > 0));
        return details.Length > 0 ? $"{Alias} ({details})" : Alias;
    }
}

/// <summary>The attempt of a task to which a session belongs, and where it runs.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Attempt">Its attempt; 1 is the first.</param>
/// <param name="Worker">The worker process, such as <c>worker-1#3</c>; empty where it runs in the coordinator.</param>
public sealed record SessionTask(long TaskId, int Attempt, string Worker);

/// <summary>Why a session ended.</summary>
/// <param name="Cause">The cause.</param>
/// <param name="Message">What happened, for people.</param>
public sealed record SessionEnd(SessionEndCause Cause, string Message);

/// <summary>What ended a session.</summary>
public enum SessionEndCause : byte
{
    /// <summary>
    /// It was closed, usually by its owner: its holds are released. A listener that remains gets one notice, and none for each
    /// hold.
    /// </summary>
    Closed,

    /// <summary>Its time to live passed.</summary>
    Expired,

    /// <summary>The task attempt it belonged to ended.</summary>
    TaskEnded,

    /// <summary>The worker process that held it died.</summary>
    WorkerLost,

    /// <summary>The credential that it was created with was revoked.</summary>
    Revoked,
}

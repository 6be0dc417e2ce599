namespace Orchestrator.Core.Kernel;

/// <summary>The kind of a named object. Each kind has its own names: a lock and a queue may both be called <c>build</c>.</summary>
public enum ObjectKind : byte
{
    /// <summary>Plain, reentrant or readers-writer lock.</summary>
    Lock,

    /// <summary>Counted permits.</summary>
    Semaphore,

    /// <summary>A flag to wait for.</summary>
    Event,

    /// <summary>A place to wait for a change of what a lock guards.</summary>
    Condition,

    /// <summary>A meeting point of a fixed number of parties.</summary>
    Barrier,

    /// <summary>A count that only falls.</summary>
    Latch,

    /// <summary>Permits per time.</summary>
    RateLimiter,

    /// <summary>A queue of items.</summary>
    Queue,

    /// <summary>A two-ended message pipe.</summary>
    Pipe,

    /// <summary>A dictionary.</summary>
    Dict,

    /// <summary>A list.</summary>
    List,

    /// <summary>One number.</summary>
    Value,

    /// <summary>A fixed-length array of numbers.</summary>
    Array,

    /// <summary>Tasks that a session waits for; no object of its own.</summary>
    Task,

    /// <summary>Sessions, which own holds and waits; no object of its own.</summary>
    Session,
}

/// <summary>The names of the kinds.</summary>
internal static class ObjectKinds
{
    private static readonly string[] Prefixes =
    [
        "locks/", "semaphores/", "events/", "conditions/", "barriers/", "latches/", "rate_limiters/", "queues/", "pipes/",
        "dicts/", "lists/", "values/", "arrays/", "tasks/", "sessions/",
    ];

    private static readonly string[] Nouns =
    [
        "lock", "semaphore", "event", "condition", "barrier", "latch", "rate limiter", "queue", "pipe",
        "dict", "list", "value", "array", "task", "session",
    ];

    /// <summary>How many kinds there are.</summary>
    public static int Count => Prefixes.Length;

    /// <summary>The request field that names an object of this kind.</summary>
    public static string Field(this ObjectKind kind) => kind == ObjectKind.RateLimiter ? "rate_limiter" : Nouns[(int)kind];

    /// <summary>The word for one object of this kind.</summary>
    public static string Noun(this ObjectKind kind) => Nouns[(int)kind];

    /// <summary>The name qualified by the kind, such as <c>locks/build</c>.</summary>
    public static string Qualify(this ObjectKind kind, string name) => Prefixes[(int)kind] + name;
}

namespace Orchestrator.TestKit.History;

/// <summary>The objects that the clients of a history share.</summary>
public static class SharedObjects
{
    /// <summary>A bounded FIFO queue, whose items are taken for good.</summary>
    public const string Queue = "history/queue";

    /// <summary>A bounded FIFO queue, whose items are leased.</summary>
    public const string LeasedQueue = "history/leased";

    /// <summary>A lock.</summary>
    public const string Lock = "history/lock";

    /// <summary>A bounded semaphore.</summary>
    public const string Semaphore = "history/semaphore";

    /// <summary>A dict with one entry.</summary>
    public const string Register = "history/register";

    /// <summary>A number.</summary>
    public const string Counter = "history/counter";

    /// <summary>The bound of both queues: small, so that they are often full and the checker has few orders to try.</summary>
    public const int QueueCapacity = 4;

    /// <summary>The permits of the semaphore.</summary>
    public const int Permits = 2;
}

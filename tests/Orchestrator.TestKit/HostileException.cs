namespace Orchestrator.TestKit;

/// <summary>Exceptions that harm the code that reads their members.</summary>
public sealed class HostileException : Exception
{
    /// <summary>The kinds that <see cref="Create"/> knows.</summary>
    public static readonly IReadOnlyList<string> Kinds =
    [
        "message throws", "stack trace throws", "text throws", "all throw", "message is null", "message is half a pair", "message is huge",
        "message walks a long chain", "a long chain",
        "a long chain of aggregates", "a wide aggregate", "an aggregate of one that throws", "cancelled with a message that throws",
    ];

    private const int Long = 20_000;

    private readonly string _kind;

    private HostileException(string kind, Exception? inner = null)
        : base("hostile", inner) => _kind = kind;

    /// <inheritdoc/>
    public override string Message => _kind switch
    {
        "message throws" or "all throw" => throw new InvalidOperationException("its message threw"),
        "message is null" => null!,
        "message is half a pair" => "half a pair: \ud800",
        "message is huge" => new string('x', 50_000_000),
        "message walks a long chain" => InnerException?.Message + ".",
        _ => base.Message,
    };

    /// <inheritdoc/>
    public override string? StackTrace =>
        _kind is "stack trace throws" or "all throw" ? throw new InvalidOperationException("its stack trace threw") : base.StackTrace;

    /// <inheritdoc/>
    public override string ToString() =>
        _kind is "text throws" or "all throw" ? throw new InvalidOperationException("its text threw") : base.ToString();

    /// <summary>An exception of this kind.</summary>
    public static Exception Create(string kind) => kind switch
    {
        "a long chain" => Chain(inner => new InvalidOperationException("one of many", inner)),
        "message walks a long chain" => Chain(inner => new HostileException(kind, inner)),
        "a long chain of aggregates" => Chain(inner => new AggregateException(
            "one of many", inner ?? new InvalidOperationException("the last"), new InvalidOperationException("beside it"))),
        "a wide aggregate" => new AggregateException(Enumerable.Range(0, Long).Select(_ => new HostileException("all throw"))),
        "an aggregate of one that throws" => new AggregateException(new HostileException("all throw")),
        "cancelled with a message that throws" => new HostileCancellation(),
        _ => new HostileException(kind),
    };

    private static Exception Chain(Func<Exception?, Exception> wrap)
    {
        Exception? chain = null;
        for (var i = 0; i < Long; i++)
            chain = wrap(chain);
        return chain!;
    }

    private sealed class HostileCancellation : OperationCanceledException
    {
        public override string Message => throw new InvalidOperationException("its message threw");
    }
}

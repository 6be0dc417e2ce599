using System.Text;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// Exceptions as text. Their members are user code: a message may throw, be enormous or unencodable, and a chain of inner exceptions may be
/// so long that a recursive walk, such as <see cref="object.ToString"/>, overflows the stack or never ends. So each member is read
/// separately, and the walk is bounded.
/// </summary>
internal static class ExceptionText
{
    private const int MaxType = 1_024;
    private const int MaxMessage = 16 * 1_024;
    private const int MaxStack = 64 * 1_024;
    private const int MaxDescribed = 10;
    private const int MaxBranches = 5;

    // Beyond this depth only the runtime's own members are read: user-defined ones may walk the chain recursively.
    private const int DeepChain = 100;
    private const int MaxCounted = 1_000_000;

    /// <summary>Its type, as the runtime names it.</summary>
    public static string TypeOf(Exception exception) => Clean(exception.GetType().FullName ?? exception.GetType().Name, MaxType);

    /// <summary>Its message.</summary>
    public static string MessageOf(Exception exception)
    {
        if (exception is AggregateException aggregate && CountTree(aggregate) > DeepChain)
            return $"One or more errors occurred: {aggregate.InnerExceptions.Count} exceptions, with more inside.";
        return Read(exception, static exception => exception.Message, "message", MaxMessage);
    }

    /// <summary>Its stack trace; with the inner exceptions, as in <see cref="object.ToString"/>, if there are any.</summary>
    public static string StackOf(Exception exception) =>
        exception.InnerException is null
            ? Read(exception, static exception => exception.StackTrace, "stack trace", MaxStack) : Describe(exception);

    /// <summary>Type, message, inner exceptions and stack: the content of <see cref="object.ToString"/>.</summary>
    public static string Describe(Exception exception)
    {
        var text = new StringBuilder();
        var left = MaxDescribed;
        Append(text, exception, ref left);
        return Clean(text.ToString(), MaxStack);
    }

    /// <summary>The text, cut to a maximum length and made encodable: half a surrogate pair is not.</summary>
    public static string Clean(string? text, int length)
    {
        if (text is null)
            return "";
        var cut = text.Length <= length
            ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[length - 1]) ? length - 1 : length), "…");
        return cut.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0 ? cut : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut));
    }

    private static void Append(StringBuilder text, Exception exception, ref int left)
    {
        left--;
        text.Append(TypeOf(exception)).Append(": ").Append(MessageOf(exception));
        var inner = exception is AggregateException aggregate
            ? aggregate.InnerExceptions.Take(MaxBranches).ToArray() : exception.InnerException is { } only ? [only] : [];
        foreach (var next in inner)
        {
            text.Append("\n ---> ");
            if (left <= 0 || text.Length > MaxStack)
            {
                text.Append("… and ").Append(CountChain(next)).Append(" more inner exceptions");
                break;
            }

            Append(text, next, ref left);
            text.Append("\n   --- End of inner exception stack trace ---");
        }

        if (Read(exception, static exception => exception.StackTrace, "stack trace", MaxStack) is { Length: > 0 } stack)
            text.Append('\n').Append(stack);
    }

    private static string Read(Exception exception, Func<Exception, string?> member, string name, int length)
    {
        if (exception.GetType().Assembly != typeof(Exception).Assembly && CountChain(exception) > DeepChain)
            return $"(its {name} was not read: it has more than {DeepChain} inner exceptions)";
        try
        {
            return Clean(member(exception), length);
        }
        catch (Exception thrown)
        {
            return $"(its {name} cannot be read: it threw {TypeOf(thrown)})";
        }
    }

    /// <summary>The length of a chain, up to a bound: a chain may even form a ring.</summary>
    private static int CountChain(Exception? exception)
    {
        var count = 0;
        for (; exception is not null && count < MaxCounted; exception = exception.InnerException)
            count++;
        return count;
    }

    /// <summary>The number of exceptions in a tree, up to the relevant bound.</summary>
    private static int CountTree(Exception root)
    {
        var open = new Stack<Exception>([root]);
        var count = 0;
        while (count <= DeepChain && open.TryPop(out var next))
        {
            count++;
            if (next is AggregateException aggregate)
            {
                foreach (var inner in aggregate.InnerExceptions.Take(DeepChain))
                    open.Push(inner);
            }
            else if (next.InnerException is { } inner)
            {
                open.Push(inner);
            }
        }

        return count;
    }
}

using System.Text;

namespace Orchestrator.Core.Common;

/// <summary>Values in the contract's spelling, for messages: the reader can look them up there.</summary>
internal static class ContractNames
{
    /// <summary>Such as <c>TIMED_OUT</c>.</summary>
    public static string Of(Enum value)
    {
        var name = new StringBuilder();
        foreach (var letter in value.ToString())
        {
            if (name.Length > 0 && char.IsUpper(letter))
                name.Append('_');
            name.Append(char.ToUpperInvariant(letter));
        }

        return name.ToString();
    }

    /// <summary>
    /// The settings in which an object differs from the request, such as <c>kind is FIFO, not LIFO; max_items is 10, not 5</c>.
    /// </summary>
    public static string Differences(params IEnumerable<(string Field, object? Is, object? Asked)> fields) => string.Join(
        "; ", fields.Where(field => !Equals(field.Is, field.Asked)).Select(
            field => $"{field.Field} is {Show(field.Is)}, not {Show(field.Asked)}"));

    private static string Show(object? value) => value switch
    {
        null or "" => "absent",
        Enum name => Of(name),
        bool flag => flag ? "true" : "false",
        TimeSpan time => FormattableString.Invariant($"{time.TotalSeconds:0.#######} s"),
        string text => $"\"{text}\"",
        _ => FormattableString.Invariant($"{value:N0}"),
    };
}

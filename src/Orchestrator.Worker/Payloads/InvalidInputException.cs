namespace Orchestrator.Worker.Payloads;

/// <summary>
/// Thrown by a handler whose input is wrong. The task fails with reason INVALID (and is not retried), and its error reads
/// <c>input of 'HANDLER': field 'FIELD' MESSAGE</c>.
/// </summary>
public sealed class InvalidInputException : Exception
{
    /// <summary>An error about the input as a whole.</summary>
    public InvalidInputException(string message)
        : this("", message, null)
    {
    }

    /// <summary>An error about one field.</summary>
    /// <param name="field">Its name or path, as the caller writes it; empty for the input as a whole.</param>
    /// <param name="message">The expected and the actual value, such as <c>must be between 1 and 100, got 0</c>.</param>
    public InvalidInputException(string field, string message)
        : this(field, message, null)
    {
    }

    /// <summary>An error about one field, with its cause.</summary>
    public InvalidInputException(string field, string message, Exception? innerException)
        : base(message, innerException) => Field = field;

    /// <summary>The field's name or path; empty for the input as a whole.</summary>
    public string Field { get; }

    internal string Describe(string handler) =>
        Field.Length == 0 ? $"input of '{handler}': {Message}" : $"input of '{handler}': field '{Field}' {Message}";
}

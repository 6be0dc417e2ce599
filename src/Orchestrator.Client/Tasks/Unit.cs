using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Client.Tasks;

/// <summary>No value, null in JSON: the input of a handler that takes none, and the output of one that returns none.</summary>
[JsonConverter(typeof(UnitJsonConverter))]
public readonly record struct Unit;

/// <summary>Writes <see cref="Unit"/> as null, and reads it from anything.</summary>
public sealed class UnitJsonConverter : JsonConverter<Unit>
{
    /// <inheritdoc/>
    public override bool HandleNull => true;

    /// <inheritdoc/>
    public override Unit Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        reader.Skip();
        return default;
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Unit value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteNullValue();
    }
}

/// <summary>Tasks without an input.</summary>
public static class UnitExecutorExtensions
{
    /// <summary>Submits a task without an input and returns once it is accepted; see <see cref="IExecutor"/>.</summary>
    /// <param name="executor">The executor that runs it.</param>
    /// <param name="function">The handler.</param>
    /// <param name="options">How it is run; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up the submission.</param>
    public static Task<TaskHandle<TOut>> SubmitAsync<TOut>(
        this IExecutor executor, TaskFunction<Unit, TOut> function, RunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return executor.SubmitAsync(function, default(Unit), options, cancellationToken);
    }

    /// <summary>Runs a task without an input and returns its output; see <see cref="IExecutor"/>.</summary>
    /// <param name="executor">The executor that runs it.</param>
    /// <param name="function">The handler.</param>
    /// <param name="options">How it is run; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the task.</param>
    public static Task<TOut> RunAsync<TOut>(
        this IExecutor executor, TaskFunction<Unit, TOut> function, RunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(executor);
        return executor.RunAsync(function, default(Unit), options, cancellationToken);
    }
}

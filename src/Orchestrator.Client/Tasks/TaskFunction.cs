using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>
/// A handler's name with the types of its input and output and their serialization, so that a remote handler looks like a function.
/// </summary>
/// <typeparam name="TIn">The input.</typeparam>
/// <typeparam name="TOut">The output.</typeparam>
public sealed class TaskFunction<TIn, TOut>
{
    internal TaskFunction(string name, Func<TIn, Payload> encode, Func<Payload?, TOut> decode)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        Encode = encode;
        Decode = decode;
    }

    /// <summary>The handler's name.</summary>
    public string Name { get; }

    internal Func<TIn, Payload> Encode { get; }

    internal Func<Payload?, TOut> Decode { get; }
}

/// <summary>Creates <see cref="TaskFunction{TIn, TOut}"/>s.</summary>
public static class TaskFunction
{
    internal const string NeedsReflection = PayloadJson.NeedsReflection;

    /// <summary>A handler that takes and returns JSON, by generated code: safe for trimming and AOT compilation.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="input">Such as <c>MyContext.Default.MyInput</c>.</param>
    /// <param name="output">Such as <c>MyContext.Default.MyOutput</c>. Integers beyond 2^53 arrive as strings, which the context must
    /// allow.</param>
    public static TaskFunction<TIn, TOut> Json<TIn, TOut>(string name, JsonTypeInfo<TIn> input, JsonTypeInfo<TOut> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return new TaskFunction<TIn, TOut>(name, value => PayloadJson.Encode(value, input), payload => PayloadJson.Decode(payload, output));
    }

    /// <summary>
    /// A handler that takes and returns JSON, by reflection. <c>byte[]</c>, <c>ReadOnlyMemory&lt;byte&gt;</c> and <c>Payload</c> are sent
    /// unchanged.
    /// </summary>
    [RequiresUnreferencedCode(NeedsReflection)]
    [RequiresDynamicCode(NeedsReflection)]
    public static TaskFunction<TIn, TOut> Json<TIn, TOut>(string name, JsonSerializerOptions? json = null) =>
        new(name, PayloadReflection.Encoder<TIn>(json), PayloadReflection.Decoder<TOut>(json));

    /// <summary>A handler on raw bytes. They are not copied, so they must not change afterwards.</summary>
    public static TaskFunction<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Bytes(string name) =>
        new(name, PayloadText.FromBytes, PayloadText.ToBytes);

    /// <summary>A handler on unconverted payloads, for benchmarks.</summary>
    internal static TaskFunction<Payload, Payload> Raw(string name) =>
        new(name, static payload => payload, static payload => payload ?? new Payload());
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Handlers.Common;

internal sealed record CountInput(long N);

internal sealed record LimitInput(long Limit);

internal sealed record Sha256Input(string Text, int Rounds = 1);

internal sealed record MandelbrotInput(int Width, int Height, int Iterations = 256);

internal sealed record MatrixInput(int N, ulong Seed = 1);

internal sealed record SamplesInput(long Samples, ulong Seed = 1);

internal sealed record SortInput(int Count, ulong Seed = 1);

internal sealed record MillisecondsInput(int Ms);

internal sealed record PathInput(string Path);

internal sealed record UrlInput(string Url);

internal sealed record SqlInput(string Database, string Sql);

internal sealed record MessageInput(string Message = "thrown on purpose");

internal sealed record ExitInput(int Code = 1);

internal sealed record MegabytesInput(int Mb);

internal sealed record HoldInput(string[] Locks, int GapMs = 0, int Ms = 0, string? Semaphore = null);

internal sealed record BarrierInput(string Barrier, int Parties = 0);

internal sealed record LimitedInput(string Limiter, int Times = 1);

internal sealed record ProduceInput(string Queue, int Count = 1);

internal sealed record ConsumeInput(string Queue, int Count = 1);

internal sealed record PipeEchoInput(string Pipe, string End);

internal sealed record IncrementInput(string Dict, string Key, int Times = 1, string Protection = "add");

internal sealed record NoInput;

/// <summary>Generated JSON code: no reflection when the first task comes.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    PropertyNameCaseInsensitive = true,
    NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(CountInput))]
[JsonSerializable(typeof(LimitInput))]
[JsonSerializable(typeof(Sha256Input))]
[JsonSerializable(typeof(MandelbrotInput))]
[JsonSerializable(typeof(MatrixInput))]
[JsonSerializable(typeof(SamplesInput))]
[JsonSerializable(typeof(SortInput))]
[JsonSerializable(typeof(MillisecondsInput))]
[JsonSerializable(typeof(HoldInput))]
[JsonSerializable(typeof(BarrierInput))]
[JsonSerializable(typeof(LimitedInput))]
[JsonSerializable(typeof(ProduceInput))]
[JsonSerializable(typeof(ConsumeInput))]
[JsonSerializable(typeof(PipeEchoInput))]
[JsonSerializable(typeof(IncrementInput))]
[JsonSerializable(typeof(JsonElement[]))]
[JsonSerializable(typeof(ulong[]))]
[JsonSerializable(typeof(PathInput))]
[JsonSerializable(typeof(UrlInput))]
[JsonSerializable(typeof(SqlInput))]
[JsonSerializable(typeof(MessageInput))]
[JsonSerializable(typeof(ExitInput))]
[JsonSerializable(typeof(MegabytesInput))]
[JsonSerializable(typeof(NoInput))]
[JsonSerializable(typeof(UInt128))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(byte[]))]
internal sealed partial class StockJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.LoadTest;

/// <summary>
/// A scripted load: clients, their tasks and rates, the processes to kill, and the thresholds at the end. Read from a JSON file.
/// </summary>
internal sealed record LoadScenario
{
    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        Converters = { new DurationConverter() },
        TypeInfoResolver = LoadScenarioJson.Default,
    };

    /// <summary>The name, for people to read.</summary>
    public required string Name { get; init; }

    /// <summary>How long tasks are sent, such as <c>20s</c> or <c>2h</c>.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The seed of arrivals, the task mix and the choice of kills.</summary>
    public int Seed { get; set; } = 1;

    public required IReadOnlyList<LoadClient> Clients { get; init; }

    public IReadOnlyList<LoadKill> Kills { get; set; } = [];

    public LoadThresholds Thresholds { get; set; } = new();

    /// <exception cref="UsageException">The file is not a scenario; the message names the file and the error.</exception>
    public static async Task<LoadScenario> ReadAsync(string file, CancellationToken token)
    {
        try
        {
            await using var stream = File.OpenRead(file);
            var scenario = await JsonSerializer.DeserializeAsync<LoadScenario>(stream, JsonOptions, token)
                ?? throw new JsonException("it is empty");
            var faults = scenario.Faults().ToArray();
            return faults.Length == 0 ? scenario : throw new UsageException($"{file}: {string.Join("; ", faults)}.");
        }
        catch (JsonException exception)
        {
            throw new UsageException($"{file} is no load scenario: {exception.Message}");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new UsageException($"{file} cannot be read: {exception.Message}");
        }
    }

    private IEnumerable<string> Faults()
    {
        if (Duration <= TimeSpan.Zero)
            yield return "duration must be longer than zero";
        if (Clients.Count == 0)
            yield return "clients must hold at least one";
        foreach (var (client, i) in Clients.Select((client, i) => (client, i)))
        {
            // The serializer rejects null in properties, but not in lists.
            if (client is null)
            {
                yield return $"clients[{i}] is null";
                continue;
            }

            if (client.Count is < 1 or > 100)
                yield return $"clients[{i}].count is {client.Count}; it must be 1 to 100";
            if (!(client.Rate > 0))
                yield return $"clients[{i}].rate is {client.Rate}; it must be tasks per second, more than 0";
            if (client.InFlight < 1)
                yield return $"clients[{i}].in_flight is {client.InFlight}; it must be at least 1";
            if (client.Tasks.Count == 0 || client.Tasks.Any(task => task is null || task.Weight < 1 || task.Handler.Length == 0))
                yield return $"clients[{i}].tasks must hold at least one, each with a handler and a weight of at least 1";
            if (client.Burst is { } burst && (!(burst.Rate > 0) || burst.For <= TimeSpan.Zero || burst.Every <= burst.For))
                yield return $"clients[{i}].burst needs a rate of more than 0, and an every longer than its for";
        }

        foreach (var (kill, i) in Kills.Select((kill, i) => (kill, i)))
        {
            if (kill is null)
            {
                yield return $"kills[{i}] is null";
                continue;
            }

            if (kill.Every <= TimeSpan.Zero)
                yield return $"kills[{i}].every must be longer than zero";
            if (kill.What is not (LoadKill.Worker or LoadKill.Client))
                yield return $"kills[{i}].what is '{kill.What}'; it must be {LoadKill.Worker} or {LoadKill.Client}";
        }
    }

    private sealed class DurationConverter : JsonConverter<TimeSpan>
    {
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
            return DurationOption.TryParse(text) ?? throw new JsonException($"'{text}' is not a time such as \"250ms\", \"2s\" or \"1h\"");
        }

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
            writer.WriteStringValue(FormattableString.Invariant($"{value.TotalSeconds}s"));
    }
}

/// <summary>A group of identical clients.</summary>
internal sealed record LoadClient
{
    public required string Name { get; init; }

    /// <summary>The number of clients, each with its own connection and stream.</summary>
    public int Count { get; set; } = 1;

    /// <summary>Tasks per second of each client, with random arrivals.</summary>
    public required double Rate { get; init; }

    /// <summary>The maximum of unanswered tasks per client; further arrivals wait, and their latency includes the wait.</summary>
    public int InFlight { get; set; } = 4_096;

    public LoadBurst? Burst { get; set; }

    public required IReadOnlyList<LoadTask> Tasks { get; init; }
}

/// <summary>A periodic change of the rate.</summary>
internal sealed record LoadBurst(TimeSpan Every, TimeSpan For, double Rate);

/// <summary>A kind of task.</summary>
/// <param name="Handler">Its handler.</param>
/// <param name="Input">Its input; null for none.</param>
/// <param name="Weight">Its relative frequency.</param>
/// <param name="Retries">Total attempts, also after the death of a worker; 1 means no retry.</param>
/// <param name="RunTimeout">Its run timeout, if any.</param>
internal sealed record LoadTask(string Handler, JsonElement? Input = null, int Weight = 1, int Retries = 1, TimeSpan? RunTimeout = null);

/// <summary>The kind of process to kill, and how often.</summary>
internal sealed record LoadKill(string What, TimeSpan Every)
{
    /// <summary>A worker process, by SIGKILL.</summary>
    public const string Worker = "worker";

    /// <summary>One of the clients: it disconnects with tasks under way and reconnects.</summary>
    public const string Client = "client";
}

/// <summary>The thresholds at the end, besides the ledger. Omitted ones are not checked.</summary>
internal sealed record LoadThresholds
{
    /// <summary>The 99th percentile of all latencies, from the intended start of a task to its result.</summary>
    public TimeSpan? MaxP99 { get; set; }

    /// <summary>Ended tasks per second.</summary>
    public double? MinPerSecond { get; set; }

    /// <summary>The maximum of ended tasks, by state: <c>{"failed": 0, "worker_lost": 20}</c>.</summary>
    public IReadOnlyDictionary<string, long> MaxEnded { get; set; } = new Dictionary<string, long>();

    /// <summary>The minimum number of kills: a test whose fault never fired shows nothing.</summary>
    public int MinKills { get; set; }

    /// <summary>The coordinator's resident memory at the end, in megabytes.</summary>
    public double? MaxCoordinatorMb { get; set; }
}

/// <summary>
/// How a scenario is read. Members with a default have a setter: generated code would not keep the value of their initializer.
/// </summary>
[JsonSerializable(typeof(LoadScenario))]
internal sealed partial class LoadScenarioJson : JsonSerializerContext;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>One measured quantity, by the rules of OpenTelemetry for names and units.</summary>
/// <param name="Name">Such as <c>orchestrator.task.ended</c>.</param>
/// <param name="Kind">What its values are.</param>
/// <param name="Unit">By UCUM: <c>s</c>, <c>By</c>, <c>1</c>; what is counted stands in braces, such as <c>{task}</c>.</param>
/// <param name="Description">What it measures.</param>
/// <param name="Tags">The names of its tags.</param>
internal sealed record Instrument(string Name, InstrumentKind Kind, string Unit, string Description, params string[] Tags);

/// <summary>What the values of an instrument are.</summary>
internal enum InstrumentKind
{
    /// <summary>A count that only grows while its tags exist.</summary>
    Counter,

    /// <summary>A present amount.</summary>
    Gauge,

    /// <summary>Durations in buckets.</summary>
    Histogram,
}

/// <summary>Receives the present values of the instruments.</summary>
internal interface IMeasurements
{
    /// <summary>The present value of a counter or a gauge.</summary>
    void Add(Instrument instrument, double value, params string[] tags);

    /// <summary>What a histogram has recorded so far, by the buckets of <see cref="Core.Common.DurationHistogram"/>.</summary>
    void Add(Instrument instrument, long[] buckets, params string[] tags);
}

/// <summary>Measures a part of the coordinator on request, so that it costs nothing in between.</summary>
internal interface IMeasurementSource
{
    /// <summary>Writes the present values of its instruments.</summary>
    void Write(IMeasurements to);
}

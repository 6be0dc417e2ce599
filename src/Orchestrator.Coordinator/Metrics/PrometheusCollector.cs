using Prometheus;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>
/// The content of <c>/metrics</c> in Prometheus text format: the present values of all <see cref="Instruments"/>, read on request.
/// </summary>
internal sealed class PrometheusCollector : IMeasurements
{
    private readonly Lock _gate = new();
    private readonly IMeasurementSource[] _sources;
    private readonly Dictionary<Instrument, PrometheusFamily> _families = [];

    public PrometheusCollector(IEnumerable<IMeasurementSource> sources)
    {
        _sources = [.. sources];
        var make = Prometheus.Metrics.WithCustomRegistry(Registry);
        foreach (var instrument in Instruments.All)
            _families.Add(instrument, PrometheusFamily.Create(make, instrument));
        Registry.AddBeforeCollectCallback(Collect);
    }

    /// <summary>The registry that is served.</summary>
    public CollectorRegistry Registry { get; } = Prometheus.Metrics.NewCustomRegistry();

    public void Add(Instrument instrument, double value, params string[] tags) => _families[instrument].Set(tags, value);

    public void Add(Instrument instrument, long[] buckets, params string[] tags) => _families[instrument].Set(tags, buckets);

    private void Collect()
    {
        // Two scrapers may ask at the same moment.
        lock (_gate)
        {
            foreach (var source in _sources)
                source.Write(this);
            foreach (var family in _families.Values)
                family.RemoveOthers();
        }
    }
}

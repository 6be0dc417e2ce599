using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Coordinator.Services;
using Orchestrator.Coordinator.Telemetry;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>The coordinator itself: streams, limits, journal, locks, refused calls, its process.</summary>
internal sealed class ServiceMeasurements(
    StreamRegistry streams, LimitReporter limits, ChangeJournal journal, TaskEngineHost tasks, ObjectEngineHost objects, TelemetryFeed feed,
    SecurityInstruments security, StatusReporter status) : IMeasurementSource
{
    public void Write(IMeasurements to)
    {
        var flows = streams.Flows();
        to.Add(Instruments.OpenStreams, flows.Count);
        to.Add(Instruments.StreamCredits, flows.Sum(flow => (long)flow.CreditsUsed));
        to.Add(Instruments.StreamStalled, flows.Count(flow => flow.StalledSince is not null));
        foreach (var limit in limits.Shared())
        {
            to.Add(Instruments.LimitUsed, limit.Used, limit.Name, limit.Unit);
            // Zero means unlimited.
            if (limit.Maximum > 0)
                to.Add(Instruments.LimitMaximum, limit.Maximum, limit.Name, limit.Unit);
        }

        foreach (var (level, times, bytes) in journal.Tally.Read())
        {
            to.Add(Instruments.JournalCommitDuration, times, EnumTags.Of(level));
            to.Add(Instruments.JournalBytes, bytes, EnumTags.Of(level));
        }

        to.Add(Instruments.EngineLockWaitDuration, tasks.ReadLockWaits(), "tasks");
        to.Add(Instruments.EngineLockWaitDuration, objects.ReadLockWaits(), "objects");
        to.Add(Instruments.PageViewers, feed.Count);
        to.Add(Instruments.FeedMissed, feed.Missed);
        foreach (var cause in Enum.GetValues<RefusalCause>())
            to.Add(Instruments.RefusedCalls, security.RefusedCalls(cause), EnumTags.Of(cause));
        to.Add(Instruments.ProcessorTime, Environment.CpuUsage.TotalTime.TotalSeconds);
        to.Add(Instruments.ProcessMemory, Environment.WorkingSet);
        to.Add(Instruments.ProcessThreads, status.Threads);
    }
}

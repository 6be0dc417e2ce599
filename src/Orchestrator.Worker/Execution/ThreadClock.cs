using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Execution;

/// <summary>The processor time of the calling thread; the base class library offers it only for whole processes.</summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3;

    public static long CpuNanoseconds() =>
        ClockGetTime(ThreadCpuTime, out var now) == 0 ? (now.Seconds * 1_000_000_000L) + now.Nanoseconds : 0;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec now);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}

using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Service;

/// <summary>
/// Reads the process's own metrics from <c>/proc/self/stat</c>: one small read per heartbeat, which allocates nothing, so that an idle
/// worker touches no new memory.
/// </summary>
internal sealed class ProcessMetrics(TimeProvider time) : IDisposable
{
    // Fields of proc_pid_stat(5), counted from 0 after the command's closing parenthesis.
    private const int UserTicks = 11;
    private const int SystemTicks = 12;
    private const int ThreadCount = 17;
    private const int ResidentPages = 21;

    // The kernel's USER_HZ is 100 on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    // Longer than the line, whose command has 64 characters at most and whose 50 numbers have 20.
    private readonly byte[] _line = new byte[2_048];
    private readonly long[] _fields = new long[ResidentPages + 1];
    private SafeFileHandle? _file;
    private long _lastStamp = time.GetTimestamp();
    private long _lastTicks = -1;

    public Vitals Read(int running, int waiting)
    {
        var vitals = new Vitals { Running = running, Waiting = waiting };
        try
        {
            _file ??= File.OpenHandle("/proc/self/stat");
            Parse(_line.AsSpan(0, RandomAccess.Read(_file, _line, 0)));
            var ticks = _fields[UserTicks] + _fields[SystemTicks];
            var seconds = time.GetElapsedTime(_lastStamp).TotalSeconds;
            if (_lastTicks >= 0 && seconds > 0)
                vitals.CpuPercent = 100 * (ticks - _lastTicks) / TicksPerSecond / seconds;
            _lastTicks = ticks;
            _lastStamp = time.GetTimestamp();
            vitals.Threads = (int)_fields[ThreadCount];
            vitals.RssBytes = (ulong)(_fields[ResidentPages] * Environment.SystemPageSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // Out of file descriptors, for example, or the stream has just ended: the heartbeat itself matters more than its metrics.
        }

        return vitals;
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private void Parse(ReadOnlySpan<byte> line)
    {
        var rest = line[(line.LastIndexOf((byte)')') + 2)..];
        for (var field = 0; field < _fields.Length; field++)
        {
            var end = rest.IndexOf((byte)' ');
            // The first field is a letter.
            _ = Utf8Parser.TryParse(rest[..end], out _fields[field], out _);
            rest = rest[(end + 1)..];
        }
    }
}

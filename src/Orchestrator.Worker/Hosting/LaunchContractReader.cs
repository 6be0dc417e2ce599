using System.Runtime.InteropServices;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Hosting;

/// <summary>The one line of JSON that a coordinator writes to its worker's standard input, and the end of that input.</summary>
internal sealed class LaunchContractReader(Stream input)
{
    private const int MaxLength = 64 * 1024;

    /// <summary>Null without such a line: a person, or some other program, has started the worker.</summary>
    public WorkerLaunch? Read()
    {
        var line = new List<byte>(512);
        Span<byte> buffer = stackalloc byte[512];
        while (line.Count < MaxLength)
        {
            var count = input.Read(buffer);
            if (count == 0)
                return null;
            var end = buffer[..count].IndexOf((byte)'\n');
            line.AddRange(end < 0 ? buffer[..count] : buffer[..end]);
            if (end >= 0)
                return LaunchContractParser.Parse(CollectionsMarshal.AsSpan(line));
        }

        return null;
    }

    /// <summary>Calls back once the input ends, that is, when the coordinator has ended. Any further input is skipped.</summary>
    public void WatchEnd(Action onEnd)
    {
        var thread = new Thread(() =>
        {
            var buffer = new byte[256];
            try
            {
                while (input.Read(buffer) > 0)
                {
                }
            }
            catch (IOException)
            {
                // A broken pipe means the same.
            }

            onEnd();
        })
        {
            IsBackground = true,
            Name = "parent-watch",
        };
        thread.UnsafeStart();
    }
}

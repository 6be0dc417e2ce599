using System.Diagnostics;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Packages;

/// <summary>A program in a network namespace of its own, which a pair of virtual interfaces connects with this one.</summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    /// <summary>The program's address.</summary>
    public const string Address = "10.200.7.2";

    private const string HostAddress = "10.200.7.1";
    private const string HostLink = "orch-test-0";
    private const string Link = "orch-test-1";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly List<string> _output = [];

    private NetworkNamespace(Process process) => _process = process;

    /// <summary>The lines that it has printed and that were read.</summary>
    public IReadOnlyList<string> Output => _output;

    /// <summary>Starts a program; null if this user may make no namespaces.</summary>
    public static async Task<NetworkNamespace?> StartAsync(string[] command, IReadOnlyDictionary<string, string> environment)
    {
        // The program starts once its interface is there.
        var start = new ProcessStartInfo(
            "unshare", ["--net", "/bin/sh", "-c", "echo made; read -r _ && exec \"$0\" \"$@\"", .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }

        var made = new NetworkNamespace(process);
        if (await process.StandardOutput.ReadLineAsync() is null || !await made.ConnectAsync())
        {
            await made.DisposeAsync();
            return null;
        }

        await process.StandardInput.WriteLineAsync();
        return made;
    }

    /// <summary>Reads its output up to a line.</summary>
    public async Task<string> ReadLineAsync(Func<string, bool> isWanted)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _output.Add(line);
            if (isWanted(line))
                return line;
        }

        throw new InvalidOperationException($"it ended before that: {string.Join('\n', _output)}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            Signals.Send(_process.Id, Signals.Term);
        await _process.StandardOutput.ReadToEndAsync();
        await _process.WaitForExitAsync().WaitAsync(Limit);
        _process.Dispose();
        // Goes with the namespace, if it was made.
        await RunAsync("ip", "link", "delete", HostLink);
    }

    private async Task<bool> ConnectAsync()
    {
        var pid = $"{_process.Id}";
        return await RunAsync("ip", "link", "add", HostLink, "type", "veth", "peer", "name", Link, "netns", pid)
            && await RunAsync("ip", "address", "add", $"{HostAddress}/30", "dev", HostLink)
            && await RunAsync("ip", "link", "set", HostLink, "up")
            && await RunAsync("nsenter", "--net", "--target", pid, "ip", "address", "add", $"{Address}/30", "dev", Link)
            && await RunAsync("nsenter", "--net", "--target", pid, "ip", "link", "set", Link, "up")
            && await RunAsync("nsenter", "--net", "--target", pid, "ip", "link", "set", "lo", "up");
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(Limit);
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

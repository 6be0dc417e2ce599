using System.Globalization;
using System.Net.Http.Headers;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// F26: another user of the machine at the Unix sockets of the coordinator and of a worker, whose folder was opened to all users.
/// </summary>
public sealed class OtherUserTests
{
    private const UnixFileMode Everybody = (UnixFileMode)0x1ff;

    // Connects, sends the HTTP/2 preface, and prints the response: nothing, where the connection is dropped.
    private const string Connect = """
        import socket, sys
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(20)
        peer.connect(sys.argv[1])
        try:
            peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            print(len(peer.recv(100)))
        except ConnectionError:
            print(0)
        """;

    [Fact]
    public async Task Is_dropped_before_a_word_and_counted()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can become another user");
        // Not root's own interpreter, which the other user could not run.
        const string Python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(Python), "python3 is not installed; scripts/test installs it");
        ExternalTool.Require("setpriv", "util-linux");
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0", "--worker-grpc");
        var sockets = Directory.GetFiles(coordinator.DataDirectory, "*.sock", SearchOption.AllDirectories);
        Assert.True(sockets.Length >= 2, string.Join(", ", sockets));
        foreach (var socket in sockets)
        {
            File.SetUnixFileMode(socket, Everybody);
            for (var folder = Path.GetDirectoryName(socket)!; folder.Length >= coordinator.DataDirectory.Length; folder =
                Path.GetDirectoryName(folder)!)
                File.SetUnixFileMode(folder, Everybody);
            Assert.NotEqual("0", await SayAsync(socket));
            Assert.Equal("0", await SayAsync(socket, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
        }

        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(coordinator.HttpAddress),
            Timeout = TimeSpan.FromSeconds(20)
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", coordinator.Token);
        var refused = (await http.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n').Single(
            line => line.StartsWith("orchestrator_refused_calls_total{why=\"other_user\"} ", StringComparison.Ordinal));
        // The coordinator counts those to its own two sockets; the worker drops the other one itself.
        Assert.Equal(2, double.Parse(refused.Split(' ')[1], CultureInfo.InvariantCulture));

        async Task<string> SayAsync(string socket, params string[] user)
        {
            string[] command = [.. user, Python, "-c", Connect, socket];
            return (await ExternalTool.RunAsync(command[0], command[1..])).Succeeded().Trim();
        }
    }
}

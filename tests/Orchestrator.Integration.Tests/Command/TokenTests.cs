using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Command;

/// <summary><c>orchestrator token</c> and <c>--no-auth</c> on the command line.</summary>
public sealed class TokenTests
{
    [Fact]
    public async Task Tokens_are_made_listed_rotated_and_revoked_while_a_coordinator_runs()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "0");
        string[] here = ["--data-dir", coordinator.DataDirectory];
        var made = await CommandLine.RunAsync(
            ["token", "create", "--role", "observe", "--id", "grafana", "--expires-in", "1h", "-o", "json", .. here]);
        Assert.True(made.ExitCode == 0, made.Output);
        var json = System.Text.Json.JsonDocument.Parse(made.Output[..(made.Output.LastIndexOf('}') + 1)]);
        var token = json.RootElement.GetProperty("token").GetString()!;
        await StatusAsync(coordinator, token);

        var list = await CommandLine.RunAsync(["token", "list", .. here]);
        Assert.Contains("grafana", list.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(token, list.Output, StringComparison.Ordinal);
        var kept = Path.Combine(coordinator.DataDirectory, "tokens.json");
        Assert.DoesNotContain(token, await File.ReadAllTextAsync(kept), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));

        // Two owner tokens during rotation, then one.
        Assert.Equal(0, (await CommandLine.RunAsync(["token", "rotate", "--keep", "10m", .. here])).ExitCode);
        var fresh = (await File.ReadAllTextAsync(Path.Combine(coordinator.DataDirectory, "token"))).Trim();
        Assert.NotEqual(coordinator.Token, fresh);
        await StatusAsync(coordinator, fresh);
        await StatusAsync(coordinator, coordinator.Token);
        Assert.Equal(0, (await CommandLine.RunAsync(["status", .. here])).ExitCode);
        Assert.Equal(0, (await CommandLine.RunAsync(["token", "rotate", "--keep", "0s", .. here])).ExitCode);
        await RefusedAsync(coordinator, fresh);

        Assert.Equal(0, (await CommandLine.RunAsync(["token", "revoke", "grafana", .. here])).ExitCode);
        await RefusedAsync(coordinator, token);
        Assert.Contains("grafana", (await CommandLine.RunAsync(["token", "revoke", "grafana", .. here])).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await CommandLine.RunAsync(["token", "revoke", "owner", .. here])).ExitCode);
    }

    [Fact]
    public async Task Without_a_data_directory_it_says_what_is_missing()
    {
        using var directory = new TemporaryDirectory();
        var (exitCode, output) = await CommandLine.RunAsync("token", "list", "--data-dir", directory.Path);
        Assert.Equal(2, exitCode);
        Assert.Contains("is no data directory of a coordinator", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_authentication_nobody_is_asked_and_the_log_warns()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--no-auth", "--workers", "0");
        var nobody = new AdminService.AdminServiceClient(coordinator.Connect(token: ""));
        await nobody.ScaleWorkersAsync(new ScaleWorkersRequest { Workers = 0 }, CoordinatorProcess.Deadline());
        await StatusAsync(coordinator, "whatever");
        Assert.Contains(
            "warn: --no-auth: every program on this machine may do everything here", coordinator.Output, StringComparison.Ordinal);
    }

    private static Task StatusAsync(CoordinatorProcess coordinator, string token) =>
        StatusAsync(new AdminService.AdminServiceClient(coordinator.Connect(token)));

    private static async Task StatusAsync(AdminService.AdminServiceClient admin) =>
        await admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline());

    private static async Task RefusedAsync(CoordinatorProcess coordinator, string token)
    {
        // One connection for all polls: one for each would soon exceed the limit of connections.
        var admin = new AdminService.AdminServiceClient(coordinator.Connect(token));
        while (true)
        {
            try
            {
                await StatusAsync(admin);
            }
            catch (RpcException exception)
            {
                Assert.Equal(StatusCode.Unauthenticated, exception.StatusCode);
                return;
            }
        }
    }
}

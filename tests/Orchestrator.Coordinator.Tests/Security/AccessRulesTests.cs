using Google.Protobuf.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Tests.Security;

/// <summary>The rules of access, and when a token ends.</summary>
public sealed class AccessRulesTests
{
    [Fact]
    public void Every_method_of_the_contract_has_a_rule_and_every_rule_a_method()
    {
        var services = new[]
        {
            TaskService.Descriptor, AdminService.Descriptor, SessionService.Descriptor, QueueService.Descriptor, PipeService.Descriptor,
            StateService.Descriptor, SyncService.Descriptor,
        };
        // Every service of the assembly, so that a new file cannot be missed either.
        var all = typeof(TaskService).Assembly.GetTypes()
            .Where(type => type.Namespace == "Orchestrator.V1" && type.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(type => type.GetProperty("Descriptor")?.GetValue(null)).OfType<FileDescriptor>()
            .SelectMany(file => file.Services);
        Assert.Equal(all.Select(service => service.FullName).Order(), services.Select(service => service.FullName).Order());
        foreach (var method in services.SelectMany(service => service.Methods))
            Assert.True(AccessRules.Find($"/{method.Service.FullName}/{method.Name}") is not null, $"{method.FullName} has no rule");
        Assert.Null(AccessRules.Find("/orchestrator.v1.TaskService/Unheard"));
    }

    [Fact]
    public void A_token_ends_at_its_time_and_not_before()
    {
        using var directory = new TemporaryDirectory();
        var clock = new HandClock();
        using var store = new TokenStore(directory.Path, null, clock, NullLogger<TokenStore>.Instance);
        var (_, token) = new TokenFiles(directory.Path, clock).Create(Role.Observe, TimeSpan.FromHours(1), "hour");
        var caller = store.Identify("Bearer " + token)!;
        Assert.Equal(("hour", Role.Observe), (caller.Name, caller.Role));
        clock.Now += TimeSpan.FromHours(1) - TimeSpan.FromTicks(1);
        Assert.False(store.HasExpired(caller));
        clock.Now += TimeSpan.FromTicks(1);
        Assert.True(store.HasExpired(store.Identify("bearer " + token)!));
        Assert.DoesNotContain(new TokenFiles(directory.Path, clock).List(), entry => entry.Id == "hour");
    }

    private sealed class HandClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Client.Tests.DependencyInjection;

/// <summary>The client as a service.</summary>
public sealed class ClientRegistrationTests
{
    [Fact]
    public async Task Its_options_come_from_the_configuration()
    {
        await using var provider = Provider(services => services.AddOrchestratorClient(Configuration(
            ("Endpoint", "http://127.0.0.1:7601"), ("Token", "t"), ("MaxStreams", "2"), ("ReconnectFor", "00:00:07"),
            ("DetachOnDisconnect", "false"))));
        provider.GetRequiredService<IStartupValidator>().Validate();
        Assert.Equal(
            new OrchestratorClientOptions
            {
                Endpoint = "http://127.0.0.1:7601",
                Token = "t",
                MaxStreams = 2,
                ReconnectFor = TimeSpan.FromSeconds(7),
                DetachOnDisconnect = false,
            },
            provider.GetRequiredService<IOptions<OrchestratorClientOptions>>().Value);
    }

    [Fact]
    public async Task Options_that_are_not_valid_fail_the_start_and_are_all_named()
    {
        await using var provider = Provider(services => services.AddOrchestratorClient(options =>
        {
            options.Endpoint = "example.org";
            options.MaxStreams = 0;
            options.ReconnectFor = TimeSpan.FromSeconds(-5);
            options.Certificate = "client.pem";
        }));
        var error = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        var message = Assert.Single(error.Failures);
        foreach (var fault in (string[])["Endpoint is 'example.org'", "MaxStreams is '0'", "ReconnectFor is '-00:00:05'", "Certificate"])
            Assert.Contains(fault, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_there_without_its_coordinator_and_its_calls_fail()
    {
        await using var provider = Provider(services => services.AddOrchestratorClient(options =>
        {
            options.Endpoint = "http://127.0.0.1:1";
            options.ReconnectFor = TimeSpan.Zero;
        }));
        var client = provider.GetRequiredService<IOrchestratorClient>();
        Assert.Same(client, provider.GetRequiredService<IExecutor>());
        await Assert.ThrowsAsync<CoordinatorUnavailableException>(() => client.GetStatusAsync(TestContext.Current.CancellationToken));
    }

    private static ServiceProvider Provider(Action<IServiceCollection> add)
    {
        var services = new ServiceCollection();
        add(services);
        return services.BuildServiceProvider();
    }

    private static IConfiguration Configuration(params (string Name, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(item => item.Name, string? (item) => item.Value)).Build();
}

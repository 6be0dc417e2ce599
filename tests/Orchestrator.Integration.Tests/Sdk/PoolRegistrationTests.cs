using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orchestrator.App;

namespace Orchestrator.Integration.Tests.Sdk;

/// <summary>The options of a pool in a host; no pool is started.</summary>
public sealed class PoolRegistrationTests
{
    private static readonly OrchestratorApp s_app = OrchestratorApp.Create(
        [], new OrchestratorAppOptions { HotSpares = 0, InheritedVariables = ["FIRST"] });

    [Fact]
    public async Task What_the_configuration_does_not_name_is_as_the_app_has_it()
    {
        await using var provider = Provider(("Workers", "3"), ("DrainTimeout", "00:00:05"), ("InheritedVariables:0", "SECOND"));
        provider.GetRequiredService<IStartupValidator>().Validate();
        var options = provider.GetRequiredService<IOptions<OrchestratorAppOptions>>().Value;
        Assert.Equal((3, 0, TimeSpan.FromSeconds(5)), (options.Workers, options.HotSpares, options.DrainTimeout));
        Assert.Equal(["FIRST", "SECOND"], options.InheritedVariables);
        Assert.Equal(["FIRST"], s_app.Options.InheritedVariables);
    }

    [Fact]
    public async Task Options_that_are_not_valid_fail_the_start_and_are_all_named()
    {
        await using var provider = Provider(("Workers", "-1"), ("GrpcPort", "70000"));
        var error = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        var message = Assert.Single(error.Failures);
        Assert.Contains("Workers is '-1'", message, StringComparison.Ordinal);
        Assert.Contains("GrpcPort is '70000'", message, StringComparison.Ordinal);
    }

    private static ServiceProvider Provider(params (string Name, string Value)[] values)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(values.ToDictionary(item => item.Name, string? (item) => item.Value)).Build();
        return new ServiceCollection().AddLogging().AddOrchestrator(s_app, configuration).BuildServiceProvider();
    }
}

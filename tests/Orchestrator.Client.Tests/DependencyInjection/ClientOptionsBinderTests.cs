using System.Globalization;
using Microsoft.Extensions.Configuration;
using Orchestrator.Client.Connection;
using Orchestrator.Client.DependencyInjection;

namespace Orchestrator.Client.Tests.DependencyInjection;

/// <summary>Every option of a client can be given by a configuration.</summary>
public sealed class ClientOptionsBinderTests
{
    [Fact]
    public void Each_option_but_the_serializers_is_bound()
    {
        foreach (var property in typeof(OrchestratorClientOptions).GetProperties().Where(
            item => item is { CanWrite: true, Name: not nameof(OrchestratorClientOptions.Json) }))
        {
            var unusual = property.PropertyType switch
            {
                var type when type == typeof(string) => (object)"text",
                var type when type == typeof(bool) => !(bool)property.GetValue(new OrchestratorClientOptions())!,
                var type when type == typeof(int) => 7,
                var type when type == typeof(TimeSpan) => TimeSpan.FromSeconds(7),
                var type => throw new InvalidOperationException($"{property.Name} is a {type.Name}: say how it is bound"),
            };
            var options = new OrchestratorClientOptions();
            ClientOptionsBinder.Bind(
                new ConfigurationBuilder().AddInMemoryCollection(
                    [new(property.Name, Convert.ToString(unusual, CultureInfo.InvariantCulture))]).Build(),
                options);
            Assert.Equal(unusual, property.GetValue(options));
        }
    }
}

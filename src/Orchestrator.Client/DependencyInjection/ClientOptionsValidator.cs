using Microsoft.Extensions.Options;
using Orchestrator.Client.Connection;

namespace Orchestrator.Client.DependencyInjection;

/// <summary>Names all faults of a client's options at once.</summary>
internal sealed class ClientOptionsValidator : IValidateOptions<OrchestratorClientOptions>
{
    public ValidateOptionsResult Validate(string? name, OrchestratorClientOptions options)
    {
        var faults = new List<string>();
        Check(
            string.IsNullOrEmpty(options.Endpoint)
            || (Uri.TryCreate(options.Endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "unix"),
            nameof(options.Endpoint), options.Endpoint, "an address such as http://127.0.0.1:7600, or unix:/path/of/a.socket");
        Check(options.MaxStreams >= 1, nameof(options.MaxStreams), options.MaxStreams, "at least 1");
        Check(
            options.ReconnectFor >= TimeSpan.Zero || options.ReconnectFor == Timeout.InfiniteTimeSpan,
            nameof(options.ReconnectFor), options.ReconnectFor, "zero or more, or infinite (-00:00:00.001)");
        if (string.IsNullOrEmpty(options.Certificate) != string.IsNullOrEmpty(options.Key))
            faults.Add($"{nameof(options.Certificate)} and {nameof(options.Key)} must be given together");
        return faults.Count == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"The client's options are not valid: {string.Join("; ", faults)}");

        void Check(bool right, string option, object? value, string wanted)
        {
            if (!right)
                faults.Add($"{option} is '{value}', it must be {wanted}");
        }
    }
}

using Microsoft.Extensions.Configuration;
using Orchestrator.Client.Connection;

namespace Orchestrator.Client.DependencyInjection;

/// <summary>
/// Takes a client's options from a section of the configuration. Each by itself: generated code for all of them would try to bind the
/// serializer's options, too.
/// </summary>
internal static class ClientOptionsBinder
{
    public static void Bind(IConfiguration section, OrchestratorClientOptions options)
    {
        options.Endpoint = section.GetValue(nameof(options.Endpoint), options.Endpoint);
        options.Token = section.GetValue(nameof(options.Token), options.Token);
        options.DataDirectory = section.GetValue(nameof(options.DataDirectory), options.DataDirectory);
        options.CertificateAuthority = section.GetValue(nameof(options.CertificateAuthority), options.CertificateAuthority);
        options.Certificate = section.GetValue(nameof(options.Certificate), options.Certificate);
        options.Key = section.GetValue(nameof(options.Key), options.Key);
        options.VerifyOnConnect = section.GetValue(nameof(options.VerifyOnConnect), options.VerifyOnConnect);
        options.MaxStreams = section.GetValue(nameof(options.MaxStreams), options.MaxStreams);
        options.ReconnectFor = section.GetValue(nameof(options.ReconnectFor), options.ReconnectFor);
        options.DetachOnDisconnect = section.GetValue(nameof(options.DetachOnDisconnect), options.DetachOnDisconnect);
    }
}

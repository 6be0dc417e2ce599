using System.CommandLine;
using Orchestrator.Client.Connection;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Options;

/// <summary>Options that every verb understands.</summary>
internal static class CommonOptions
{
    public static readonly Option<string?> Endpoint = new("--endpoint")
    {
        Description =
            $"The coordinator's gRPC address, such as http://127.0.0.1:7600. Otherwise {OrchestratorClientOptions.EndpointVariable}, " +
                      $"then DIR/{ProtocolConstants.EndpointFileName}.",
        HelpName = "URL",
        Recursive = true,
    };

    public static readonly Option<string?> Token = new("--token")
    {
        Description = $"The token. Otherwise {OrchestratorClientOptions.TokenVariable}, then DIR/{ProtocolConstants.TokenFileName}.",
        HelpName = "TOKEN",
        Recursive = true,
    };

    public static readonly Option<string?> DataDirectory = new("--data-dir")
    {
        Description =
            $"The coordinator's data directory DIR. Otherwise {ProtocolConstants.DataDirectoryVariable}, then ~/.local/state/orchestrator.",
        HelpName = "DIR",
        Recursive = true,
    };

    public static readonly Option<string?> CertificateAuthority = new("--ca")
    {
        Description =
            "For https: the PEM file of the authority of the coordinator's certificate. Otherwise " +
            $"{OrchestratorClientOptions.CertificateAuthorityVariable}, then the system's.",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<string?> Certificate = new("--cert")
    {
        Description = $"For https: the PEM file of a client certificate. Otherwise {OrchestratorClientOptions.CertificateVariable}.",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<string?> Key = new("--key")
    {
        Description = $"The PEM file of its key. Otherwise {OrchestratorClientOptions.KeyVariable}.",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "How to print: table or json.",
        HelpName = "table|json",
        Recursive = true,
        DefaultValueFactory = _ => "table",
    };

    static CommonOptions() => Output.AcceptOnlyFromAmong("table", "json");

    public static void AddTo(RootCommand root)
    {
        root.Options.Add(Endpoint);
        root.Options.Add(Token);
        root.Options.Add(DataDirectory);
        root.Options.Add(CertificateAuthority);
        root.Options.Add(Certificate);
        root.Options.Add(Key);
        root.Options.Add(Output);
    }
}

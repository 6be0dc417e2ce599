using System.CommandLine;
using System.Net;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.Objects;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Cli.Commands;

/// <summary>The access options of <c>orchestrator serve</c>.</summary>
internal static class ServeSecurity
{
    private static readonly Option<string> Listen = new("--listen")
    {
        Description = "The address to listen on; 0.0.0.0 or :: for all. Any other than a loopback address needs TLS.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    private static readonly Option<string?> TlsCertificate =
        new("--tls-cert") { Description = "TLS: the PEM file of the certificate; read again when it changes.", HelpName = "FILE" };

    private static readonly Option<string?> TlsKey = new("--tls-key") { Description = "TLS: the PEM file of its key.", HelpName = "FILE" };

    private static readonly Option<bool> TlsSelfSigned = new("--tls-self-signed")
    {
        Description = "TLS without an authority: makes a certificate in the data directory unless --tls-cert gives one, and prints its " +
            "fingerprint. Clients name its file with --ca.",
    };

    private static readonly Option<string?> TokenFile = new("--token-file")
    {
        Description = "A file with the owner's token, such as a mounted secret, instead of one that is made at the first start.",
        HelpName = "FILE",
    };

    private static readonly Option<string?> ClientCa = new("--client-ca")
    {
        Description =
            "Accept only gRPC clients with a certificate of these authorities (PEM); it is their credential unless they send a token.",
        HelpName = "FILE",
    };

    private static readonly Option<string> ClientRole = new Option<string>("--client-role")
    {
        Description = "What a client certificate allows.",
        HelpName = "observe|submit|operate",
        DefaultValueFactory = _ => RoleNames.Of(Role.Submit),
    }.AcceptOnlyFromAmong([.. RoleNames.All]);

    private static readonly Option<bool> NoAuth = new("--no-auth") { Description = "Require no credential; on loopback only, for trials." };

    private static readonly Option<string[]> AllowHost = new("--allow-host")
    {
        Description = "A host name accepted by the HTTP port, besides localhost and addresses; may be given more than once.",
        HelpName = "NAME",
    };

    private static readonly Option<int> MaxTasks = new("--max-tasks-per-client")
    {
        Description = "Unfinished tasks of one client.",
        HelpName = "N",
        DefaultValueFactory = _ => new TaskEngineOptions().MaxTasksPerClient,
    };

    private static readonly Option<OptionSize?> MaxBytes = ByteSizeOption.Option(
        "--max-bytes-per-client", "The input of one client's unfinished tasks.", () => new TaskEngineOptions().MaxPayloadBytesPerClient);

    private static readonly Option<int> MaxSessions = new("--max-sessions-per-client")
    {
        Description = "Sessions of one client at once.",
        HelpName = "N",
        DefaultValueFactory = _ => new ObjectEngineOptions().MaxSessionsPerClient,
    };

    private static readonly Option<int> MaxStreams = new("--max-streams-per-client")
    {
        Description = "Streams of one client at once.",
        HelpName = "N",
        DefaultValueFactory = _ => new CoordinatorOptions().MaxStreamsPerClient,
    };

    public static IEnumerable<Option> Options =>
    [
        Listen, TlsCertificate, TlsKey, TlsSelfSigned, ClientCa, ClientRole, NoAuth, TokenFile, AllowHost, MaxTasks, MaxBytes,
        MaxSessions, MaxStreams,
    ];

    public static CoordinatorOptions Read(CommandContext context, CoordinatorOptions options)
    {
        var listen = context.Get(Listen)!;
        if (!IPAddress.TryParse(listen == "localhost" ? "127.0.0.1" : listen, out var address))
            throw new UsageException($"--listen '{listen}' is not an address such as 127.0.0.1, 0.0.0.0 or ::.");
        return options with
        {
            ListenAddress = address,
            Tls = Tls(context),
            TlsSelfSigned = context.Get(TlsSelfSigned),
            TokenFile = context.Get(TokenFile) is { Length: > 0 } file ? Path.GetFullPath(file) : null,
            Authentication = !context.Get(NoAuth),
            AllowedHosts = context.Get(AllowHost) ?? [],
            MaxStreamsPerClient = context.Get(MaxStreams),
            Engine = options.Engine with
            {
                MaxTasksPerClient = context.Get(MaxTasks),
                MaxPayloadBytesPerClient = context.Get(MaxBytes) ?? options.Engine.MaxPayloadBytesPerClient,
            },
            Objects = options.Objects with { MaxSessionsPerClient = context.Get(MaxSessions) },
        };
    }

    private static TlsOptions? Tls(CommandContext context)
    {
        var (certificate, key, ca) = (context.Get(TlsCertificate), context.Get(TlsKey), context.Get(ClientCa));
        if (certificate is null && key is null)
            return ca is null ? null : throw new UsageException("--client-ca needs TLS: --tls-cert and --tls-key are missing.");
        if (certificate is null || key is null)
            throw new UsageException(
                $"a certificate needs its key and a key its certificate: {(key is null ? "--tls-key" : "--tls-cert")} is missing.");
        _ = RoleNames.TryParse(context.Get(ClientRole)!, out var role);
        return new TlsOptions(Path.GetFullPath(certificate), Path.GetFullPath(key), ca is null ? null : Path.GetFullPath(ca), role);
    }
}

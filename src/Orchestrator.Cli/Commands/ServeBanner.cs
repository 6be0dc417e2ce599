using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Common;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary>The text that <c>orchestrator serve</c> prints once it is ready.</summary>
internal static class ServeBanner
{
    private const string Method = "orchestrator.v1.TaskService/RunTask";
    private const string Usual = "sum_of_squares";

    /// <param name="addresses">The endpoints and the workers.</param>
    /// <param name="handlers">What the workers offer.</param>
    /// <param name="dataDirectory">The data directory.</param>
    /// <param name="login">The address that logs a browser in; empty where the text may be read by others than the owner.</param>
    public static string Write(
        CoordinatorAddresses addresses, IReadOnlyList<HandlerInfo> handlers, string dataDirectory, string login = "")
    {
        var address = new Uri(addresses.Grpc);
        var authority = address.Authority;
        var isTls = address.Scheme == Uri.UriSchemeHttps;
        // Another terminal may not have this one's environment variable.
        var isDefault = dataDirectory == ProtocolConstants.DefaultDataDirectory()
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(ProtocolConstants.DataDirectoryVariable));
        var here = isDefault ? "" : $" --data-dir {Quote(dataDirectory)}";
        // With its own certificate, commands that find it by the data directory need no --ca.
        var authorityFile = addresses.SelfSigned is { } own ? Quote(own.Path) : "CA.pem";
        var commandCa = isTls && addresses.SelfSigned is null ? " --ca CA.pem" : "";
        var header = $"-H \"authorization: Bearer $(cat {Quote(addresses.TokenPath)})\"";
        var page = login.Length > 0 ? login : $"{addresses.Http}/  ('{Command()} page{here}' logs you in)";
        var text = new StringBuilder()
            .AppendLine(CultureInfo.InvariantCulture, $"Orchestrator is ready (pid {Environment.ProcessId}).")
            .AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"  gRPC   {addresses.Grpc}")
            .AppendLine(CultureInfo.InvariantCulture, $"  HTTP   {addresses.Http}")
            .AppendLine(CultureInfo.InvariantCulture, $"  page   {page}")
            .AppendLine(CultureInfo.InvariantCulture, $"  token  in {addresses.TokenPath}");
        if (addresses.SelfSigned is { } made)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  TLS    self-signed; clients name its certificate with --ca: {made.Path}")
                .AppendLine(CultureInfo.InvariantCulture, $"         SHA-256 {made.Fingerprint}");
        }

        text.AppendLine();
        foreach (var worker in addresses.Workers)
        {
            var core = worker.Core < 0 ? "any core" : $"core {worker.Core}";
            text.AppendLine(worker.Failure.Length == 0
                ? string.Create(CultureInfo.InvariantCulture, $"  {worker.Name,-10} pid {worker.Pid,-8} {core}")
                : $"  {worker.Name,-10} GIVEN UP: {worker.Failure}");
        }

        if (addresses.Workers.Any(worker => worker.Failure.Length > 0))
        {
            text.AppendLine()
                .AppendLine("  A task that no living worker can run fails at once. Mend the cause, then try again with")
                .AppendLine(CultureInfo.InvariantCulture, $"  {Command()} recycle{here}");
        }

        text.AppendLine();
        if (Example(handlers) is var (handler, input))
        {
            var body = input is null ? "" : $",\"input\":{{\"json\":{input}}}";
            var request = Quote($"{{\"task\":{{\"handler\":\"{handler}\"{body}}}}}");
            text.AppendLine("Try it from another terminal, with this command, grpcurl or buf:")
                .AppendLine()
                .AppendLine(CultureInfo.InvariantCulture,
                    $"  {Command()} run {handler}{(input is null ? "" : " " + Quote(input))}{here}{commandCa}")
                .AppendLine()
                .AppendLine(isTls ? $"  grpcurl -cacert {authorityFile} \\" : "  grpcurl -plaintext \\")
                .AppendLine(CultureInfo.InvariantCulture, $"    {header} \\")
                .AppendLine(CultureInfo.InvariantCulture, $"    -d {request} \\")
                .AppendLine(CultureInfo.InvariantCulture, $"    {authority} {Method}")
                .AppendLine()
                // Without --reflect-header, buf sends the token with the call, but not with the reflection request.
                .AppendLine(
                    $"  buf curl --protocol grpc {(isTls ? $"--cacert {authorityFile}" : "--http2-prior-knowledge")} " +
                    "--reflect-header '*' \\")
                .AppendLine(CultureInfo.InvariantCulture, $"    {header} \\")
                .AppendLine(CultureInfo.InvariantCulture, $"    -d {request} \\")
                .AppendLine(CultureInfo.InvariantCulture, $"    {address.Scheme}://{authority}/{Method}")
                .AppendLine();
        }
        else
        {
            text.AppendLine("No worker offers a handler yet. What they can run, once they do, is listed by")
                .AppendLine(CultureInfo.InvariantCulture, $"  {Command()} handlers{here}{commandCa}")
                .AppendLine();
        }

        return text
            .Append(commandCa.Length > 0
                ? "CA.pem stands for the authority of the certificate; where client certificates are asked for, add yours and its key.\n\n"
                : "")
            .AppendLine("Ctrl-C stops it: running tasks may finish first, a second Ctrl-C does not wait.")
            .ToString();
    }

    /// <summary>The same as an event of the log, in the form of <c>--log-format json</c>.</summary>
    /// <param name="addresses">Of the coordinator and its workers.</param>
    /// <param name="note">On the choice of the workers' program; null if there is nothing to say.</param>
    public static string WriteJson(CoordinatorAddresses addresses, string? note)
    {
        var fields = new JsonObject
        {
            ["grpc"] = addresses.Grpc,
            ["http"] = addresses.Http,
            ["token_file"] = addresses.TokenPath,
        };
        if (addresses.SelfSigned is { } certificate)
            (fields["certificate"], fields["fingerprint"]) = (certificate.Path, certificate.Fingerprint);
        fields["workers"] = addresses.Workers.Count(worker => worker.Failure.Length == 0);
        fields["given_up_workers"] = addresses.Workers.Count(worker => worker.Failure.Length > 0);
        if (note is not null)
            fields["worker_runtime_note"] = note;
        return new JsonObject
        {
            ["time"] = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            ["level"] = "information",
            ["category"] = "Orchestrator",
            ["event"] = "Started",
            ["message"] = $"Orchestrator is ready (pid {Environment.ProcessId}).",
            ["fields"] = fields,
        }.ToJsonString() + "\n";
    }

    /// <summary>A handler of some worker, with an example input; null if there is none.</summary>
    private static (string Handler, string? Input)? Example(IReadOnlyList<HandlerInfo> handlers)
    {
        var shown = handlers.FirstOrDefault(handler => handler.Name == Usual) ?? handlers.FirstOrDefault(HasExample)
            ?? (handlers is [var first, ..] ? first : null);
        return shown is null ? null : (shown.Name, HasExample(shown) ? Payloads.ToJson(shown.ExampleInput) : null);
    }

    private static bool HasExample(HandlerInfo handler) => handler.ExampleInput?.ContentCase == Payload.ContentOneofCase.Json;

    // A local build is not on the PATH, and the line must work when pasted.
    private static string Command()
    {
        var path = SelfCommand.Path;
        if (Path.GetFileNameWithoutExtension(path) is "dotnet")
            return "orchestrator";
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(directory => directory.Length > 0 && Path.Combine(directory, "orchestrator") == path);
        return found ? "orchestrator" : Quote(path);
    }

    // Single quotes for text that a shell would not take as one plain word.
    private static string Quote(string path) =>
        path.All(c => char.IsLetterOrDigit(c) || c is '/' or '.' or '_' or '-')
            ? path
            : "'" + path.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}

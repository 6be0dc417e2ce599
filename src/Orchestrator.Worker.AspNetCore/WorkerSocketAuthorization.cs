using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Orchestrator.Protocol;
using Orchestrator.Worker.Hosting;

namespace Orchestrator.Worker.AspNetCore;

/// <summary>Restricts the worker's socket to processes of the same user, with the token of this launch.</summary>
internal sealed class WorkerSocketAuthorization(string token)
{
    private static readonly string[] OpenPrefixes = ["/grpc.health.v1.Health/", "/grpc.reflection."];

    private const int SolSocket = 1;
    private const int SoPeerCredentials = 17;
    private const string Unauthenticated = "16";

    private readonly byte[] _expected = Encoding.UTF8.GetBytes(ProtocolConstants.BearerPrefix + token);

    /// <summary>
    /// Drops connections of other users. The socket's folder already excludes them; this check holds if the folder's mode is
    /// wrong.
    /// </summary>
    public static ConnectionDelegate CheckPeer(ConnectionDelegate next) => connection =>
    {
        if (!OperatingSystem.IsLinux() || connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            return next(connection);
        return PeerUserId(socket) == ParentProcess.UserId() ? next(connection) : Task.CompletedTask;
    };

    /// <summary>Answers calls without the token, except for health and reflection, with UNAUTHENTICATED.</summary>
    public Task CheckTokenAsync(HttpContext context, RequestDelegate next)
    {
        if (IsAuthorized(context.Request.Headers.Authorization)
            || Array.Exists(OpenPrefixes, prefix => context.Request.Path.Value!.StartsWith(prefix, StringComparison.Ordinal)))
            return next(context);
        // A gRPC error before any message: status and trailers in one header block.
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = Unauthenticated;
        context.Response.Headers["grpc-message"] = "this worker serves its coordinator only";
        return Task.CompletedTask;
    }

    private bool IsAuthorized(StringValues header) =>
        header.Count == 1 && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(header[0] ?? ""), _expected);

    private static uint PeerUserId(Socket socket)
    {
        // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
        Span<byte> credentials = stackalloc byte[12];
        var size = socket.GetRawSocketOption(SolSocket, SoPeerCredentials, credentials);
        return size == credentials.Length ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]) : uint.MaxValue;
    }
}

using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Orchestrator.V1;

namespace Orchestrator.Dashboard;

/// <summary>
/// Pushes telemetry and events to a page: text messages hold JSON, binary ones a block of spans in protobuf's binary form. Each page has
/// calls of its own to the coordinator, which computes what it shows once for all of them.
/// </summary>
internal sealed class FeedSocket(IDashboardAccess access)
{
    // Of the range that applications may use; the page shows its login again.
    private const WebSocketCloseStatus CredentialEnded = (WebSocketCloseStatus)4401;
    private const int MaxRequestBytes = 1_024;
    private const int PastEvents = 200;
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);
    private static readonly JsonFormatter Formatter = JsonFormatter.Default;

    /// <summary>Serves one page until it leaves, or its credential ends.</summary>
    public async Task RunAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await JsonErrors.SendAsync(context, StatusCodes.Status400BadRequest, "invalid_argument", "the feed is a WebSocket");
            return;
        }

        if (access.CredentialOf(context) is not { } credential)
        {
            await JsonErrors.SendAsync(context, StatusCodes.Status401Unauthorized, "unauthenticated", "log in");
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var feed = new Feed(access, credential, socket, context.RequestAborted);
        await feed.RunAsync();
    }

    /// <summary>The feed of one page.</summary>
    private sealed class Feed(IDashboardAccess access, string credential, WebSocket socket, CancellationToken aborted) : IDisposable
    {
        private readonly AdminService.AdminServiceClient _admin = new(access.Calls);
        private readonly SemaphoreSlim _writing = new(1);
        private CancellationTokenSource? _telemetry;

        public async Task RunAsync()
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(aborted);
            var events = RunEventsAsync(over.Token);
            var checks = CheckCredentialAsync(over.Token);
            var telemetry = Task.CompletedTask;
            try
            {
                while (await ReadRequestAsync(over.Token) is { } request)
                {
                    if (_telemetry is not null)
                        await _telemetry.CancelAsync();
                    await telemetry;
                    _telemetry?.Dispose();
                    _telemetry = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
                    telemetry = RunTelemetryAsync(request, _telemetry.Token);
                }
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
            {
                // The page has left.
            }

            await over.CancelAsync();
            await Task.WhenAll(events, checks, telemetry);
        }

        public void Dispose()
        {
            _telemetry?.Dispose();
            _writing.Dispose();
        }

        private CallOptions Options(CancellationToken cancellationToken) =>
            new(new Metadata { { "authorization", credential } }, cancellationToken: cancellationToken);

        private async Task<FeedRequest?> ReadRequestAsync(CancellationToken cancellationToken)
        {
            var buffer = new byte[MaxRequestBytes];
            var read = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                if (read == buffer.Length)
                    return null;
                part = await socket.ReceiveAsync(buffer.AsMemory(read), cancellationToken);
                read += part.Count;
            }
            while (!part.EndOfMessage);
            if (part.MessageType != WebSocketMessageType.Text)
                return null;
            try
            {
                return JsonSerializer.Deserialize(buffer.AsSpan(0, read), DashboardJson.Default.FeedRequest);
            }
            catch (JsonException)
            {
                return null;
            }
        }

        private Task RunTelemetryAsync(FeedRequest request, CancellationToken cancellationToken) => GuardAsync(async () =>
        {
            var interval = TimeSpan.FromMilliseconds(Math.Clamp(request.IntervalMs, 100, 10_000));
            var wanted = new WatchTelemetryRequest { Interval = Duration.FromTimeSpan(interval), Spans = request.Spans };
            using var call = _admin.WatchTelemetry(wanted, Options(cancellationToken));
            await foreach (var message in call.ResponseStream.ReadAllAsync(cancellationToken))
            {
                foreach (var block in message.Spans)
                    await SendAsync(block.ToByteArray(), WebSocketMessageType.Binary, cancellationToken);
                message.Spans.Clear();
                if (message.Status is not null || message.MissedMessages > 0)
                    await SendAsync(Encoding.UTF8.GetBytes(Formatter.Format(message)), WebSocketMessageType.Text, cancellationToken);
            }
        });

        private Task RunEventsAsync(CancellationToken cancellationToken) => GuardAsync(async () =>
        {
            using var call = _admin.WatchEvents(new WatchEventsRequest { Newest = PastEvents }, Options(cancellationToken));
            await foreach (var item in call.ResponseStream.ReadAllAsync(cancellationToken))
            {
                await SendAsync(
                    Encoding.UTF8.GetBytes($"{{\"event\":{Formatter.Format(item)}}}"), WebSocketMessageType.Text, cancellationToken);
            }
        });

        /// <summary>A credential that has been revoked or has expired ends the feed.</summary>
        private Task CheckCredentialAsync(CancellationToken cancellationToken) => GuardAsync(async () =>
        {
            using var timer = new PeriodicTimer(CheckInterval);
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                if (access.Find(credential) is null)
                {
                    await CloseAsync(CredentialEnded, "the credential has ended");
                    return;
                }
            }
        });

        /// <summary>A call that fails ends the feed with its error; the page connects again.</summary>
        private async Task GuardAsync(Func<Task> run)
        {
            try
            {
                await run();
            }
            catch (RpcException exception) when (exception.StatusCode != StatusCode.Cancelled)
            {
                var isCredential = exception.StatusCode == StatusCode.Unauthenticated;
                await CloseAsync(isCredential ? CredentialEnded : WebSocketCloseStatus.EndpointUnavailable, exception.Status.Detail);
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or RpcException)
            {
                // The page has left.
            }
        }

        private async Task SendAsync(byte[] content, WebSocketMessageType type, CancellationToken cancellationToken)
        {
            // Never queued: while the page does not read, this waits, and the coordinator keeps only the newest for it.
            await _writing.WaitAsync(cancellationToken);
            try
            {
                await socket.SendAsync(content, type, endOfMessage: true, cancellationToken);
            }
            finally
            {
                _writing.Release();
            }
        }

        private async Task CloseAsync(WebSocketCloseStatus status, string why)
        {
            try
            {
                // At most 123 bytes.
                await socket.CloseOutputAsync(status, why.Length > 100 ? why[..100] : why, aborted);
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or InvalidOperationException)
            {
                // It is closed already.
            }
        }
    }
}

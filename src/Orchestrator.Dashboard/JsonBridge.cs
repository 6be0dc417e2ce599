using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Orchestrator.Dashboard;

/// <summary>
/// The services as JSON over HTTP/1.1, for the page and for languages without gRPC: <c>POST /api/{service}/{method}</c> with a message in
/// protobuf's JSON form, answered in the same form. A method that streams its answers sends one object per line. Each call goes through the
/// same gate as over gRPC, with the credential of its caller.
/// </summary>
internal sealed class JsonBridge(IDashboardAccess access)
{
    private const string TimeoutHeader = "connect-timeout-ms";
    private const string JsonLines = "application/x-ndjson";

    private static readonly Marshaller<byte[]> Raw = Marshallers.Create(static bytes => bytes, static bytes => bytes);
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithTypeRegistry(ServiceCatalog.Types));

    /// <summary>Makes the call that the route names.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var (service, name) = ((string)context.Request.RouteValues["service"]!, (string)context.Request.RouteValues["method"]!);
        if (ServiceCatalog.Find(service, name) is not { } method)
        {
            await JsonErrors.SendAsync(context, StatusCodes.Status404NotFound, "unimplemented", $"there is no method {service}/{name}");
            return;
        }

        if (method.IsClientStreaming)
        {
            await JsonErrors.SendAsync(
                context, StatusCodes.Status501NotImplemented, "unimplemented", $"{method.Name} takes a stream of messages: it needs gRPC");
            return;
        }

        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || type.MediaType != "application/json")
        {
            await JsonErrors.SendAsync(
                context, StatusCodes.Status415UnsupportedMediaType, "invalid_argument",
                $"the content type is '{context.Request.ContentType}'; it must be application/json");
            return;
        }

        if (await JsonBody.ReadAsync(context, method) is { } request)
            await InvokeAsync(context, method, request);
    }

    private async Task InvokeAsync(HttpContext context, MethodDescriptor method, byte[] request)
    {
        if (!TryReadTimeout(context, out var deadline))
        {
            await JsonErrors.SendAsync(
                context, StatusCodes.Status400BadRequest, "invalid_argument",
                $"{TimeoutHeader} is '{context.Request.Headers[TimeoutHeader]}'; it must be a number of milliseconds");
            return;
        }

        var headers = new Metadata();
        if (access.CredentialOf(context) is { } credential)
            headers.Add("authorization", credential);
        var options = new CallOptions(headers, deadline, context.RequestAborted);
        var kind = method.IsServerStreaming ? MethodType.ServerStreaming : MethodType.Unary;
        var call = new Method<byte[], byte[]>(kind, method.Service.FullName, method.Name, Raw, Raw);
        try
        {
            if (method.IsServerStreaming)
                await SendAllAsync(context, method, call, options, request);
            else
                await SendOneAsync(context, method, call, options, request);
        }
        catch (RpcException exception) when (!context.Response.HasStarted)
        {
            await JsonErrors.SendAsync(context, exception);
        }
        catch (RpcException exception)
        {
            // The status has been sent: the last line says what went wrong.
            var error = new StreamErrorAnswer(JsonErrors.Of(exception));
            await WriteLineAsync(context, JsonSerializer.Serialize(error, DashboardJson.Default.StreamErrorAnswer));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody reads the answer.
        }
    }

    private async Task SendOneAsync(
        HttpContext context, MethodDescriptor method, Method<byte[], byte[]> call, CallOptions options, byte[] request)
    {
        using var answer = access.Calls.AsyncUnaryCall(call, null, options, request);
        var message = method.OutputType.Parser.ParseFrom(await answer.ResponseAsync);
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync(Formatter.Format(message), context.RequestAborted);
    }

    private async Task SendAllAsync(
        HttpContext context, MethodDescriptor method, Method<byte[], byte[]> call, CallOptions options, byte[] request)
    {
        using var answers = access.Calls.AsyncServerStreamingCall(call, null, options, request);
        while (await answers.ResponseStream.MoveNext(context.RequestAborted))
        {
            if (!context.Response.HasStarted)
            {
                context.Response.ContentType = JsonLines;
                context.Response.Headers.CacheControl = "no-store";
            }

            await WriteLineAsync(context, Formatter.Format(method.OutputType.Parser.ParseFrom(answers.ResponseStream.Current)));
        }

        context.Response.ContentType ??= JsonLines;
    }

    private static async Task WriteLineAsync(HttpContext context, string line)
    {
        await context.Response.WriteAsync(line + "\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static bool TryReadTimeout(HttpContext context, out DateTime? deadline)
    {
        deadline = null;
        if (!context.Request.Headers.TryGetValue(TimeoutHeader, out var value))
            return true;
        if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) || milliseconds > uint.MaxValue)
            return false;
        deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(milliseconds);
        return true;
    }
}

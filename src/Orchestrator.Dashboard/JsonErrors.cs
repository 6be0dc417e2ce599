using System.Text.Json;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Dashboard;

/// <summary>Errors as the Connect protocol writes them: https://connectrpc.com/docs/protocol#error-codes.</summary>
internal static class JsonErrors
{
    private const string DetailsTrailer = "grpc-status-details-bin";

    /// <summary>Sends an error of its own.</summary>
    public static Task SendAsync(HttpContext context, int status, string code, string message) =>
        SendAsync(context, status, new ErrorAnswer(code, message, null));

    /// <summary>Sends the error of a call.</summary>
    public static Task SendAsync(HttpContext context, RpcException error) => SendAsync(context, HttpStatusOf(error.StatusCode), Of(error));

    /// <summary>The error of a call.</summary>
    public static ErrorAnswer Of(RpcException error) => new(NameOf(error.StatusCode), error.Status.Detail, ReasonOf(error));

    private static Task SendAsync(HttpContext context, int status, ErrorAnswer error)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(error, DashboardJson.Default.ErrorAnswer, cancellationToken: context.RequestAborted);
    }

    private static string? ReasonOf(RpcException error)
    {
        if (error.Trailers.GetValueBytes(DetailsTrailer) is not { } details)
            return null;
        foreach (var detail in Google.Rpc.Status.Parser.ParseFrom(details).Details)
        {
            if (detail.TryUnpack<ErrorInfo>(out var info))
                return info.Reason;
        }

        return null;
    }

    private static string NameOf(StatusCode code) =>
        code == StatusCode.Cancelled ? "canceled" : JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString());

    private static int HttpStatusOf(StatusCode code) => code switch
    {
        StatusCode.Cancelled => StatusCodes.Status499ClientClosedRequest,
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => StatusCodes.Status400BadRequest,
        StatusCode.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.AlreadyExists or StatusCode.Aborted => StatusCodes.Status409Conflict,
        StatusCode.PermissionDenied => StatusCodes.Status403Forbidden,
        StatusCode.ResourceExhausted => StatusCodes.Status429TooManyRequests,
        StatusCode.Unimplemented => StatusCodes.Status501NotImplemented,
        StatusCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        StatusCode.Unauthenticated => StatusCodes.Status401Unauthorized,
        _ => StatusCodes.Status500InternalServerError,
    };
}

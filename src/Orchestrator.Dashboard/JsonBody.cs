using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Dashboard;

/// <summary>Reads the message of a JSON call.</summary>
internal static class JsonBody
{
    /// <summary>The largest message, in bytes. Larger payloads are for gRPC, which needs no text for bytes.</summary>
    public const int MaxBytes = 4 << 20;

    private static readonly Encoding Utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithTypeRegistry(ServiceCatalog.Types));

    private enum BodyProblem
    {
        None,
        TooLarge,
        NoText,
    }

    /// <summary>The message in protobuf's binary form; null if it was refused, which has been answered.</summary>
    public static async Task<byte[]?> ReadAsync(HttpContext context, MethodDescriptor method)
    {
        try
        {
            var (text, problem) = await ReadTextAsync(context);
            switch (problem)
            {
                case BodyProblem.TooLarge:
                    await JsonErrors.SendAsync(
                        context, StatusCodes.Status413PayloadTooLarge, "resource_exhausted",
                        $"the message has more than {MaxBytes:N0} bytes, the most of a JSON call; larger ones go over gRPC");
                    return null;
                case BodyProblem.NoText:
                    await JsonErrors.SendAsync(
                        context, StatusCodes.Status400BadRequest, "invalid_argument", "the message is no UTF-8 text");
                    return null;
                default:
                    return Parser.Parse(text.Length == 0 ? "{}" : text, method.InputType).ToByteArray();
            }
        }
        catch (Exception exception) when (
            exception is InvalidProtocolBufferException or InvalidJsonException or FormatException or InvalidOperationException)
        {
            await JsonErrors.SendAsync(
                context, StatusCodes.Status400BadRequest, "invalid_argument",
                $"the message is no {method.InputType.Name} in JSON: {exception.Message}");
            return null;
        }
    }

    private static async Task<(string Text, BodyProblem Problem)> ReadTextAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBytes)
            return ("", BodyProblem.TooLarge);
        using var content = new MemoryStream((int)(context.Request.ContentLength ?? 0));
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            if (content.Length + read > MaxBytes)
                return ("", BodyProblem.TooLarge);
            content.Write(buffer, 0, read);
        }

        try
        {
            return (Utf8.GetString(content.GetBuffer(), 0, (int)content.Length), BodyProblem.None);
        }
        catch (DecoderFallbackException)
        {
            return ("", BodyProblem.NoText);
        }
    }
}

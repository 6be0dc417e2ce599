using System.Net.Sockets;
using System.Security.Authentication;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.V1;
using Status = Grpc.Core.Status;

namespace Orchestrator.Client.Tests.Connection;

/// <summary>Errors of calls that carry no reason of the contract, and what their causes are explained by.</summary>
public sealed class RpcExceptionMapperTests
{
    private static readonly CoordinatorEndpoint s_plain =
        new(new Uri("http://127.0.0.1:7600"), "from a file", "t", "from /d/token");

    private static readonly CoordinatorEndpoint s_tls = s_plain with { Address = new Uri("https://host.example:7600") };

    public static TheoryData<StatusCode> Statuses => [.. System.Enum.GetValues<StatusCode>()];

    [Theory]
    [MemberData(nameof(Statuses))]
    public void A_status_without_a_reason_keeps_its_code_and_text(StatusCode status)
    {
        var thrown = new RpcException(new Status(status, "what happened"));
        var mapped = RpcExceptionMapper.Map(thrown, s_plain);
        var expected = status switch
        {
            StatusCode.Unavailable => typeof(CoordinatorUnavailableException),
            StatusCode.Unauthenticated or StatusCode.PermissionDenied => typeof(AccessDeniedException),
            _ => typeof(OrchestratorException),
        };
        Assert.Equal((expected, status, FailureReason.Unspecified), (mapped.GetType(), mapped.StatusCode, mapped.Reason));
        Assert.Contains("what happened", mapped.Message, StringComparison.Ordinal);
        Assert.Same(thrown, mapped.InnerException);
    }

    [Fact]
    public void A_token_that_is_not_accepted_is_named_by_its_source()
    {
        var mapped = RpcExceptionMapper.Map(new RpcException(new Status(StatusCode.Unauthenticated, "wrong")), s_plain);
        Assert.Contains("http://127.0.0.1:7600", mapped.Message, StringComparison.Ordinal);
        Assert.Contains("from /d/token", mapped.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ERROR_REASON_STALE", "orchestrator", FailureReason.Stale)]
    [InlineData("STALE", "orchestrator", FailureReason.Stale)]
    [InlineData("A_REASON_OF_A_LATER_VERSION", "orchestrator", FailureReason.Unspecified)]
    [InlineData("", "orchestrator", FailureReason.Unspecified)]
    [InlineData("STALE", "elsewhere", FailureReason.Unspecified)]
    public void A_reason_is_known_by_its_name_and_domain(string name, string domain, FailureReason reason)
    {
        var status = new Google.Rpc.Status { Code = (int)StatusCode.FailedPrecondition, Message = "m" };
        status.Details.Add(Any.Pack(new ErrorInfo { Reason = name, Domain = domain }));
        var mapped = RpcExceptionMapper.Map(status.ToRpcException(), s_plain);
        Assert.Equal((reason, StatusCode.FailedPrecondition), (mapped.Reason, mapped.StatusCode));
    }

    [Fact]
    public void A_refused_connection_says_how_to_start_a_coordinator()
    {
        var refused = Unavailable(new HttpRequestException("no", new SocketException((int)SocketError.ConnectionRefused)));
        Assert.Equal(
            "No coordinator answers at http://127.0.0.1:7600 (from a file). Start one with 'orchestrator serve'.",
            RpcExceptionMapper.Map(refused, s_plain).Message);
    }

    [Theory]
    [InlineData(typeof(SocketException))]
    [InlineData(typeof(HttpRequestException))]
    public void An_internal_error_of_the_connection_is_a_coordinator_that_cannot_be_reached(System.Type cause)
    {
        var inner = (Exception)Activator.CreateInstance(cause)!;
        var thrown = new RpcException(new Status(StatusCode.Internal, "internal", new IOException("outer", inner)));
        Assert.IsType<CoordinatorUnavailableException>(RpcExceptionMapper.Map(thrown, s_plain));
        Assert.IsNotType<CoordinatorUnavailableException>(
            RpcExceptionMapper.Map(new RpcException(new Status(StatusCode.Internal, "internal", new IOException("other"))), s_plain));
    }

    public static TheoryData<string, bool, string> Causes => new()
    {
        { "The remote certificate is invalid because of errors in the certificate chain", false, "--ca" },
        { "Cannot determine the frame size or a corrupted frame was received.", false, "begins with http://" },
        { "Authentication failed because of no application protocol", false, "this is its HTTP port" },
        { "certificate required", false, "this client shows none. Name one with --cert and --key" },
        { "certificate required", true, "--client-ca" },
        { "alert bad certificate", true, "--client-ca" },
        { "something else", false, "something else" },
    };

    [Theory]
    [MemberData(nameof(Causes))]
    public void A_failed_handshake_says_what_to_change(string cause, bool showsCertificate, string advice)
    {
        var thrown = Unavailable(new HttpRequestException("outer", new AuthenticationException(cause)));
        Assert.Contains(
            advice, ConnectionFailures.Explain(thrown, s_tls with { ShowsCertificate = showsCertificate }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_speaks_no_plain_HTTP2_may_have_a_certificate()
    {
        var thrown = Unavailable(new HttpRequestException("The HTTP/2 handshake could not be completed"));
        Assert.Contains("begins with https://", ConnectionFailures.Explain(thrown, s_plain), StringComparison.Ordinal);
        Assert.True(ConnectionFailures.IsCertificateRefused(thrown.Status.DebugException));
        Assert.False(ConnectionFailures.IsCertificateRefused(null));
    }

    private static RpcException Unavailable(Exception cause) => new(new Status(StatusCode.Unavailable, "connection failed", cause));
}

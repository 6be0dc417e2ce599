using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;

namespace Orchestrator.Coordinator.Tests.Security;

/// <summary>Which calls share a quota, and the streams of one client.</summary>
public sealed class ClientQuotaTests
{
    private static readonly Principal s_alice = new("alice", Role.Submit);
    private static readonly Principal s_bob = new("bob", Role.Submit);
    private static readonly Principal s_shared = new("owner", Role.Operate) { IsShared = true, IsOwner = true };
    private readonly ClientQuotaRegistry _quotas = new(new CoordinatorOptions { MaxStreamsPerClient = 2 });

    [Fact]
    public void A_client_of_its_own_is_one_over_all_its_connections()
    {
        var (first, second) = (Connection("1"), Connection("2"));
        var quota = _quotas.Of(new HttpCallOrigin(first), s_alice);
        Assert.Same(quota, _quotas.Of(new HttpCallOrigin(first), s_alice));
        Assert.Same(quota, _quotas.Of(new HttpCallOrigin(second), s_alice));
        Assert.NotSame(quota, _quotas.Of(new HttpCallOrigin(second), s_bob));
        Assert.Equal("alice", quota.Objects.Name);
    }

    [Fact]
    public void With_a_shared_credential_each_connection_is_a_client()
    {
        var (first, second) = (Connection("1"), Connection("2"));
        var quota = _quotas.Of(new HttpCallOrigin(first), s_shared);
        Assert.Same(quota, _quotas.Of(new HttpCallOrigin(first), s_shared));
        Assert.NotSame(quota, _quotas.Of(new HttpCallOrigin(second), s_shared));
        Assert.Equal("owner/1", quota.Objects.Name);
        Assert.True(quota.Objects.ActsForTasks);
    }

    [Fact]
    public async Task A_stream_beyond_the_limit_is_refused_and_an_end_makes_room()
    {
        var quota = _quotas.Of(new HttpCallOrigin(Connection("1")), s_alice);
        var ends = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        var streams = ends.Select(end => quota.RunAsync(() => end.Task)).ToArray();
        Assert.Equal(2, quota.Streams);
        var refused = await Assert.ThrowsAsync<RpcException>(() => quota.RunAsync(() => Task.CompletedTask));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.Contains("streams_per_client", refused.Status.Detail, StringComparison.Ordinal);
        // A stream that fails makes room as one that ends.
        ends[0].SetException(new InvalidOperationException("broken"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => streams[0]);
        Assert.Equal(1, quota.Streams);
        await quota.RunAsync(() => Task.CompletedTask);
        ends[1].SetResult();
        await streams[1];
        Assert.Equal(0, quota.Streams);
    }

    private static DefaultHttpContext Connection(string id)
    {
        var context = new DefaultHttpContext();
        context.Connection.Id = id;
        context.Features.Set<IConnectionItemsFeature>(new Items());
        return context;
    }

    private sealed class Items : IConnectionItemsFeature
    {
        IDictionary<object, object?> IConnectionItemsFeature.Items { get; set; } = new Dictionary<object, object?>();
    }
}

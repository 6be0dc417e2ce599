using Orchestrator.Core.Kernel;
using Orchestrator.Core.Pipes;
using static Orchestrator.Core.Pipes.PipeEnd;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>The rows of the semantics page on pipes.</summary>
public sealed class PipeTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ObjectHarness _harness = new();
    private readonly Session _ann;
    private readonly Session _bob;

    public PipeTests()
    {
        _ann = _harness.Session("ann");
        _bob = _harness.Session("bob");
    }

    [Fact]
    public void Messages_arrive_in_order_in_both_directions()
    {
        _harness.CreatePipe();
        Assert.Equal(new SendOutcome(PipeStatus.Ok, 3), _harness.Send(A, 1, 2, 3).Outcome);
        _harness.Send(B, 4);
        var first = _harness.Receive(B, 2);
        Assert.Equal([1, 2], first.Received());
        Assert.Equal(1, first.Get<ReceiveOutcome>().Available);
        Assert.Equal([3], _harness.Receive(B, 0).Received());
        Assert.Equal([4], _harness.Receive(A, 9).Received());
    }

    [Fact]
    public void Receive_waits_and_a_full_direction_blocks_its_sender_only()
    {
        _harness.CreatePipe(most: 2);
        var waiting = _harness.Receive(B, 9);
        var send = _harness.Send(A, 1, 2, 3, 4, 5, 6);
        Assert.Equal([1, 2], waiting.Received());
        Assert.False(send.HasOutcome);
        Assert.True(_harness.Send(B, 7).HasOutcome);
        Assert.Equal([3], _harness.Receive(B).Received());
        Assert.Equal([4, 5], _harness.Receive(B, 9).Received());
        Assert.Equal(new SendOutcome(PipeStatus.Ok, 6), send.Outcome);
        var late = _harness.Send(A, null, Second, 7, 8);
        _harness.Advance(Second);
        Assert.Equal(new SendOutcome(PipeStatus.Timeout, 1), late.Outcome);
        Assert.Equal(new SendOutcome(PipeStatus.Timeout, 0), _harness.Send(A, null, TimeSpan.Zero, 9).Outcome);
        Assert.Equal([6, 7], _harness.Receive(B, 9).Received());
        Assert.Equal(PipeStatus.Timeout, _harness.Receive(B, timeout: TimeSpan.Zero).Status());
    }

    [Fact]
    public void A_send_that_is_served_at_once_answers_before_those_it_serves()
    {
        _harness.CreatePipe(most: 1);
        var receivers = new[] { _harness.Receive(B), _harness.Receive(B) };
        var send = _harness.Send(A, 1, 2, 3);
        Assert.Null(send.Wait);
        Assert.Equal([send, .. receivers], _harness.Completed);
        receivers = [_harness.Receive(B), _harness.Receive(B)];
        send = _harness.Send(A, null, TimeSpan.Zero, 4, 5, 6);
        Assert.Equal([send, receivers[1]], _harness.Completed);
        Assert.Equal(new SendOutcome(PipeStatus.Timeout, 2), send.Outcome);
    }

    [Fact]
    public void Bytes_bound_a_direction_too_and_what_can_never_fit_is_refused()
    {
        _harness.CreatePipe(bytes: 25);
        var send = _harness.Send(A, 1, 2, 3);
        Assert.Equal((2, 20L), (_harness.View.FindPipe("p")!.B.Buffered, _harness.View.FindPipe("p")!.B.BufferedBytes));
        _harness.Receive(B);
        Assert.True(send.HasOutcome);
        Assert.Equal("messages[0]", _harness.Apply(new SendMessages("p", A, [new Content(1, 26)])).Fails(ObjectErrorReason.Invalid).Field);
        _harness.Send(A).Fails(ObjectErrorReason.Invalid);
        Assert.Equal([2], _harness.Apply(new ReceiveMessages("p", B, 9) { MaxBytes = 15 }).Received());
    }

    [Fact]
    public void After_the_peer_closed_what_was_sent_is_read_then_the_end_of_file()
    {
        _harness.CreatePipe();
        _harness.Send(A, 1, 2);
        _harness.Close(A);
        Assert.Equal([1], _harness.Receive(B).Received());
        Assert.Equal([2], _harness.Receive(B, 9).Received());
        Assert.Equal(PipeStatus.EndOfFile, _harness.Receive(B).Status());
        Assert.Equal(PipeStatus.EndOfFile, _harness.Receive(B, peek: true).Status());
        Assert.Equal(new SendOutcome(PipeStatus.BrokenPipe, 0), _harness.Send(B, 3).Outcome);
    }

    [Fact]
    public void Closing_wakes_those_who_wait_at_both_ends()
    {
        _harness.CreatePipe(most: 1);
        var peerReceives = _harness.Receive(B);
        var ownReceives = _harness.Receive(A);
        var close = _harness.Close(A);
        Assert.Equal([close, ownReceives, peerReceives], _harness.Completed);
        ownReceives.Fails(ObjectErrorReason.BrokenPipe);
        Assert.Equal(PipeStatus.EndOfFile, peerReceives.Status());
        _harness.Send(A, 1).Fails(ObjectErrorReason.BrokenPipe);
    }

    [Fact]
    public void A_send_that_waits_when_either_end_closes_tells_how_far_it_came()
    {
        _harness.CreatePipe(most: 1);
        var send = _harness.Send(A, 1, 2);
        _harness.Close(B);
        Assert.Equal(new SendOutcome(PipeStatus.BrokenPipe, 1), send.Outcome);
        _harness.Close(A);
        _harness.CreatePipe(most: 1);
        var own = _harness.Send(A, 1, 2);
        var behind = _harness.Send(A, 3);
        _harness.Close(A);
        Assert.Equal(new SendOutcome(PipeStatus.BrokenPipe, 1), own.Outcome);
        behind.Fails(ObjectErrorReason.BrokenPipe);
        Assert.Equal([1], _harness.Receive(B, 9).Received());
    }

    [Fact]
    public void A_second_attachment_to_an_end_is_refused_until_the_first_detaches()
    {
        _harness.CreatePipe();
        Attach(_ann, A).Get<AttachPipeEndOutcome>();
        var message = Attach(_bob, A).Fails(ObjectErrorReason.NotOwner).Message;
        Assert.Contains("end A of pipe \"p\" belongs to s-84097828 (\"ann\")", message, StringComparison.Ordinal);
        Attach(_ann, A).Fails(ObjectErrorReason.NotOwner);
        _harness.Send(A, _bob, null, 1).Fails(ObjectErrorReason.NotOwner);
        _harness.Receive(A).Fails(ObjectErrorReason.NotOwner);
        _harness.Close(A, _bob).Fails(ObjectErrorReason.NotOwner);
        Attach(_bob, B).Get<AttachPipeEndOutcome>();
        Detach(_bob, A).Fails(ObjectErrorReason.NotOwner);
        Detach(_ann, A).Get<Done>();
        Detach(_ann, A).Fails(ObjectErrorReason.NotOwner);
        Attach(_bob, A).Get<AttachPipeEndOutcome>();
        Assert.Equal((0, 2), (_ann.HoldCount, _bob.HoldCount));
        Attach(null, A).Fails(ObjectErrorReason.NotOwner);
    }

    [Fact]
    public void A_session_s_death_closes_its_end_and_what_it_sent_can_be_read()
    {
        _harness.CreatePipe();
        Attach(_ann, A);
        _harness.Send(A, _ann, null, 1);
        var own = _harness.Receive(A, session: _ann);
        _harness.End(_ann);
        own.Fails(ObjectErrorReason.SessionLost);
        Assert.Contains((_ann, "pipes/p"), _harness.Noticed);
        Assert.Equal([1], _harness.Receive(B).Received());
        Assert.Equal(PipeStatus.EndOfFile, _harness.Receive(B).Status());
    }

    [Fact]
    public void An_end_belongs_to_the_first_session_that_uses_it()
    {
        _harness.CreatePipe();
        _harness.Send(A, _ann, null, 1);
        var receive = _harness.Receive(B, 9, _bob);
        Assert.Equal((1, 1), (_ann.HoldCount, _bob.HoldCount));
        _harness.Send(A, 2).Fails(ObjectErrorReason.NotOwner);
        // The session may still attach for a stream.
        Attach(_ann, A).Get<AttachPipeEndOutcome>();
        Assert.True(receive.HasOutcome);
        var waiting = _harness.Receive(B, session: _bob);
        _harness.End(_ann);
        Assert.Equal(PipeStatus.EndOfFile, waiting.Status());
    }

    [Fact]
    public void An_attachment_that_nobody_heard_of_is_undone()
    {
        _harness.CreatePipe();
        var attach = Attach(_ann, A);
        _harness.Apply(new CompensateDelivery(attach.Delivery!.Value));
        Attach(_bob, A).Get<AttachPipeEndOutcome>();
        _harness.Apply(new CompensateDelivery(attach.Delivery!.Value));
        Assert.Equal((0, 1), (_ann.HoldCount, _bob.HoldCount));
    }

    [Fact]
    public void Without_duplex_a_receives_and_b_sends()
    {
        _harness.CreatePipe(duplex: false);
        Assert.Contains("send from end B", _harness.Send(A, 1).Fails(ObjectErrorReason.Invalid).Message, StringComparison.Ordinal);
        Assert.Contains("receive at end A", _harness.Receive(B).Fails(ObjectErrorReason.Invalid).Message, StringComparison.Ordinal);
        _harness.Send(B, 1);
        Assert.Equal([1], _harness.Receive(A).Received());
    }

    [Fact]
    public void Peek_says_whether_there_is_something_and_takes_nothing()
    {
        _harness.CreatePipe();
        Assert.Equal(PipeStatus.Timeout, _harness.Receive(B, peek: true, timeout: TimeSpan.Zero).Status());
        var peek = _harness.Receive(B, peek: true);
        var receive = _harness.Receive(B, 9);
        _harness.Send(A, 1, 2);
        Assert.Equal(2, peek.Get<ReceiveOutcome>().Available);
        Assert.Empty(peek.Received());
        Assert.Equal([1, 2], receive.Received());
    }

    [Fact]
    public void What_could_not_be_delivered_goes_back_to_the_front_once()
    {
        _harness.CreatePipe();
        _harness.Send(A, 1, 2, 3);
        var (first, second) = (_harness.Receive(B), _harness.Receive(B));
        _harness.Apply(new CompensateDelivery(second.Delivery!.Value));
        _harness.Apply(new CompensateDelivery(first.Delivery!.Value));
        _harness.Apply(new CompensateDelivery(first.Delivery!.Value));
        var all = _harness.Receive(B, 9);
        Assert.Equal([1, 2, 3], all.Received());
        // The end that would read it is closed.
        _harness.Close(B);
        _harness.Apply(new CompensateDelivery(all.Delivery!.Value));
        Assert.Equal(0, _harness.View.FindPipe("p")!.B.Buffered);
    }

    [Fact]
    public void A_send_that_is_given_up_half_way_tells_how_far_it_came()
    {
        _harness.CreatePipe(most: 1);
        var send = new SendMessages("p", A, [new Content(1, 1), new Content(2, 1)]) { Session = _ann, OperationId = 1 };
        var cancelled = _harness.Apply(send);
        _harness.Apply(new CancelOperations([1]) { Session = _ann });
        Assert.Equal(new SendOutcome(PipeStatus.Timeout, 1), cancelled.Outcome);
        Assert.Same(cancelled.Outcome, _harness.Apply(send).Outcome);
    }

    [Fact]
    public void When_both_ends_are_closed_the_pipe_is_removed()
    {
        _harness.CreatePipe();
        _harness.Send(A, 1);
        _harness.Close(A);
        _harness.Close(A).Get<Done>();
        Assert.Equal(1, _harness.View.ObjectCount);
        _harness.Close(B);
        Assert.Equal(0, _harness.View.ObjectCount);
        _harness.Close(B).Fails(ObjectErrorReason.NotFound);
        // A session that dies while attached to both ends closes both.
        _harness.CreatePipe();
        Attach(_ann, A);
        Attach(_ann, B);
        _harness.Receive(A, session: _ann);
        _harness.End(_ann);
        Assert.Equal((0, 0), (_harness.View.ObjectCount, _harness.View.WaitCount));
    }

    [Fact]
    public void Creating_again_is_the_existing_one_or_a_mismatch()
    {
        Assert.Equal((1_000, 16L << 20), (_harness.CreatePipe().Spec.MaxMessages, _harness.CreatePipe(most: 1_000).Spec.MaxBytes));
        _harness.Apply(new CreatePipe(new PipeSpec("p", false))).Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal("spec.name", _harness.Apply(new CreatePipe(new PipeSpec("", true))).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("spec.max_messages", _harness.Apply(new CreatePipe(new PipeSpec("x", true) { MaxMessages = -1 }))
            .Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("spec.max_bytes", _harness.Apply(new CreatePipe(new PipeSpec("x", true) { MaxBytes = -1 }))
            .Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("end", _harness.Send(0, 1).Fails(ObjectErrorReason.Invalid).Field);
        _harness.Receive(A, -1).Fails(ObjectErrorReason.Invalid);
        _harness.Receive(A, timeout: -Second).Fails(ObjectErrorReason.Invalid);
        _harness.Apply(new SendMessages("none", A, [])).Fails(ObjectErrorReason.NotFound);
        _harness.Apply(new CreatePipe(new PipeSpec("o", false)));
        Assert.Equal(["o", "p"], _harness.View.ListPipes("", 9).Select(pipe => pipe.Spec.Name));
        Assert.Equal("p", Assert.Single(_harness.View.ListPipes("o", 9)).Spec.Name);
        Assert.Null(_harness.View.FindPipe("none"));
    }

    [Fact]
    public void A_direct_pipe_has_ends_and_owners_but_no_messages()
    {
        var created = _harness.Apply(new CreatePipe(new PipeSpec("p", true) { Direct = true })).Get<CreatePipeOutcome>().Pipe;
        Assert.Equal((0, 0L), (created.Spec.MaxMessages, created.Spec.MaxBytes));
        Assert.Equal(created.Number, Attach(_ann, A).Get<AttachPipeEndOutcome>().Pipe.Number);
        Assert.Equal("pipe", _harness.Send(A, _ann, null, 1).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("pipe", _harness.Receive(A, session: _ann).Fails(ObjectErrorReason.Invalid).Field);
        _harness.Apply(new AwaitPeerClosed("p", A) { Session = _bob }).Fails(ObjectErrorReason.NotOwner);
        var waiting = _harness.Apply(new AwaitPeerClosed("p", A) { Session = _ann });
        Attach(_bob, B);
        var own = _harness.Apply(new AwaitPeerClosed("p", B) { Session = _bob });
        Assert.False(waiting.HasOutcome || own.HasOutcome);
        _harness.End(_bob);
        Assert.Equal(PipeStatus.EndOfFile, waiting.Status());
        own.Fails(ObjectErrorReason.SessionLost);
        Assert.Equal(PipeStatus.EndOfFile, _harness.Apply(new AwaitPeerClosed("p", A) { Session = _ann }).Status());
        _harness.Close(A, _ann);
        Assert.Equal((0, 0, 0), (_harness.View.ObjectCount, _harness.View.WaitCount, _ann.HoldCount));
        Assert.NotEqual(created.Number, _harness.CreatePipe().Number);
        _harness.Apply(new AwaitPeerClosed("p", A)).Fails(ObjectErrorReason.Invalid);
    }

    [Theory]
    [InlineData(1, 0, "spec.max_messages")]
    [InlineData(0, 1, "spec.max_bytes")]
    public void A_direct_pipe_has_no_bounds_of_its_own(int mostMessages, long mostBytes, string field)
    {
        var spec = new PipeSpec("p", true) { Direct = true, MaxMessages = mostMessages, MaxBytes = mostBytes };
        Assert.Equal(field, _harness.Apply(new CreatePipe(spec)).Fails(ObjectErrorReason.Invalid).Field);
        _harness.CreatePipe();
        var mismatch = _harness.Apply(new CreatePipe(new PipeSpec("p", true) { Direct = true })).Fails(ObjectErrorReason.KindMismatch);
        Assert.Contains("direct", mismatch.Message, StringComparison.Ordinal);
    }

    private Call Attach(Session? session, PipeEnd end) => _harness.Apply(new AttachPipeEnd("p", end) { Session = session });

    private Call Detach(Session? session, PipeEnd end) => _harness.Apply(new DetachPipeEnd("p", end) { Session = session });
}

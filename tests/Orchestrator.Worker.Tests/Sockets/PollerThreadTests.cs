using System.Diagnostics;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Worker.Tests.Sockets;

/// <summary>When a thread that handles a socket is taken for held up.</summary>
public sealed class PollerThreadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_whose_handler_sleeps_or_computes_for_long_is_held_up(bool sleeps)
    {
        using var end = new ManualResetEventSlim();
        var isHeldUp = Handle(
            () =>
            {
                if (sleeps)
                    end.Wait(Patience);
                while (!end.IsSet)
                    Thread.SpinWait(1);
            },
            thread => SpinWait.SpinUntil(thread.IsHeldUp, Patience));
        Assert.True(isHeldUp);

        bool Handle(Action handler, Func<PollerThread, bool> look)
        {
            var (thread, socket) = (new PollerThread(), new NoSocket());
            using var begun = new ManualResetEventSlim();
            var running = new Thread(() =>
            {
                thread.Enter();
                thread.Begin(socket);
                begun.Set();
                handler();
                thread.End();
            });
            running.Start();
            begun.Wait();
            var seen = look(thread);
            end.Set();
            running.Join();
            Assert.False(thread.IsHeldUp());
            return seen;
        }
    }

    [Fact]
    public void One_that_handles_one_socket_after_the_other_is_not()
    {
        var (thread, socket) = (new PollerThread(), new NoSocket());
        thread.Enter();
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromMilliseconds(50))
        {
            thread.Begin(socket);
            Assert.False(thread.IsHeldUp());
            thread.End();
        }
    }

    private sealed class NoSocket : IPolledSocket
    {
        public void OnReady(uint events) => throw new UnreachableException();

        public void OnFault(Exception fault) => throw new UnreachableException();

        public void OnHeldUp() => throw new UnreachableException();
    }
}

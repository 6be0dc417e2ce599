namespace Orchestrator.Worker.Tasks;

/// <summary>A queue of attempts and its executor. None of its methods runs user code, except <see cref="RunInline"/>.</summary>
internal interface ILane
{
    /// <summary>Appends attempts in order.</summary>
    /// <param name="attempts">Not kept after the call.</param>
    /// <param name="deferred">The caller will call <see cref="RunInline"/> shortly; a lane with threads of its own starts anyway.</param>
    void Enqueue(ReadOnlySpan<TaskContext> attempts, bool deferred);

    /// <summary>Starts waiting attempts on the calling thread, if the lane has no threads of its own.</summary>
    /// <param name="onStalled">Called, once and on another thread, if user code keeps the calling thread for longer than a
    /// millisecond.</param>
    void RunInline(Action? onStalled);

    /// <summary>Ends the lane's idle threads; a running task is not affected.</summary>
    void Stop();
}

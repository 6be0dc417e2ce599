namespace Orchestrator.Integration.Tests.Soak;

/// <summary>What is done to a coordinator and those around it.</summary>
internal enum SoakFault
{
    /// <summary>SIGKILL of a worker.</summary>
    KillWorker,

    /// <summary>SIGKILL of a worker in which a task holds a lock.</summary>
    KillHolder,

    /// <summary>SIGSTOP of a worker, which is killed for its silence.</summary>
    StopWorker,

    /// <summary>All workers are replaced.</summary>
    Recycle,

    /// <summary>SIGSTOP of the coordinator for a second.</summary>
    PauseCoordinator,

    /// <summary>A client hangs up with tasks open.</summary>
    VanishClient,

    /// <summary>SIGKILL of a client process with tasks open.</summary>
    KillClient,

    /// <summary>All connections of the relay are reset.</summary>
    CutConnections,

    /// <summary>A connection is reset in the middle of a message.</summary>
    CutMessage,

    /// <summary>The relay delays every chunk for a while.</summary>
    SlowNetwork,

    /// <summary>Tasks are cancelled.</summary>
    Cancel,
}

namespace Orchestrator.Integration.Tests.Soak;

/// <summary>A fault of a coordinator, its workers, its clients or its network.</summary>
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

    /// <summary>A task ends its worker.</summary>
    EndWorker,

    /// <summary>A task goes on computing past its timeout.</summary>
    Overrun,

    /// <summary>Tasks block the threads of their workers.</summary>
    BlockThreads,

    /// <summary>SIGKILL of a coordinator with durable tasks and objects, which is started again.</summary>
    KillCoordinator,

    /// <summary>A client submits and never reads.</summary>
    NeverRead,

    /// <summary>A connection breaks the rules of HTTP/2, floods, or goes silent.</summary>
    BreakProtocol,

    /// <summary>Bytes that are not a valid message.</summary>
    SendGarbage,

    /// <summary>A request is sent again.</summary>
    RepeatRequest,

    /// <summary>The holder of a lock writes after its lease.</summary>
    OutliveLease,

    /// <summary>Two sessions wait for each other.</summary>
    Deadlock,

    /// <summary>A call with a wrong token.</summary>
    CallAsStranger,

    /// <summary>Connections without a credential stay open and push bodies.</summary>
    PushAsStranger,

    /// <summary>A client holds a thousand locks for a day.</summary>
    HoardLocks,

    /// <summary>A client submits tasks with unknown handlers.</summary>
    SubmitUnknown,

    /// <summary>A client fills a queue.</summary>
    FillQueue,

    /// <summary>A client uses another's session.</summary>
    UseForeignSession,
}

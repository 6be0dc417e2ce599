using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <summary>The objects of a session on unconverted payloads.</summary>
public static class SessionContract
{
    /// <summary>A lock, acquired in a mode of the contract.</summary>
    public static SharedLock Lock(this CoordinationSession session, string name, LockMode mode)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.ThrowIfFake();
        return new SharedLock(session, name, mode);
    }

    /// <summary>A lock of a flow, acquired in a mode of the contract.</summary>
    public static SharedLock Lock(this SessionFlow flow, string name, LockMode mode)
    {
        ArgumentNullException.ThrowIfNull(flow);
        flow.ThrowIfFake();
        return flow.Lock(name, mode);
    }

    /// <summary>A queue of payloads.</summary>
    public static SharedQueue<Payload> Queue(this CoordinationSession session, string name)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.Queue<Payload>(name);
    }

    /// <summary>A pipe of payloads.</summary>
    public static SharedPipe<Payload> Pipe(this CoordinationSession session, string name)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.Pipe<Payload>(name);
    }

    /// <summary>A dict of payloads.</summary>
    public static SharedDict<Payload> Dict(
        this CoordinationSession session, string name, DurabilityLevel durability = DurabilityLevel.Default)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.Dict<Payload>(name, durability);
    }

    /// <summary>A list of payloads.</summary>
    public static SharedList<Payload> List(
        this CoordinationSession session, string name, DurabilityLevel durability = DurabilityLevel.Default)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.List<Payload>(name, durability);
    }

    /// <summary>A number, as an integer.</summary>
    public static SharedValue<long> Value(
        this CoordinationSession session, string name, DurabilityLevel durability = DurabilityLevel.Default)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.Value<long>(name, durability);
    }

    /// <summary>An array of numbers, as integers.</summary>
    public static SharedArray<long> Array(
        this CoordinationSession session, string name, long length = 0, DurabilityLevel durability = DurabilityLevel.Default)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.Array<long>(name, length, durability);
    }
}

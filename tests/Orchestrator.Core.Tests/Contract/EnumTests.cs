using Orchestrator.Core.TaskModel;
using Orchestrator.V1;

namespace Orchestrator.Core.Tests.Contract;

/// <summary>Core references no generated code, so its enums repeat the contract's numbers and services cast between them.</summary>
public sealed class EnumTests
{
    [Fact]
    public void Failure_reasons_are_error_reasons() => Same<FailureReason, ErrorReason>(nameof(FailureReason.None));

    [Fact]
    public void Task_states_are_the_contracts_task_states()
    {
        Same<Core.TaskModel.TaskState, V1.TaskState>();
        Assert.Equal(Enum.GetValues<V1.TaskState>().Length - 1, Enum.GetValues<Core.TaskModel.TaskState>().Length);
    }

    [Fact]
    public void Cancel_rungs_are_the_contracts_cancel_rungs()
    {
        Same<Core.TaskModel.CancelRung, V1.CancelRung>(nameof(Core.TaskModel.CancelRung.None));
        Assert.Equal(Enum.GetValues<V1.CancelRung>().Length, Enum.GetValues<Core.TaskModel.CancelRung>().Length);
    }

    [Fact]
    public void Object_error_reasons_wait_states_lock_modes_and_barrier_actions_are_the_contracts()
    {
        Same<Core.Kernel.ObjectErrorReason, ErrorReason>(nameof(Core.Kernel.ObjectErrorReason.None));
        Same<Core.Kernel.WaitStatus, V1.WaitStatus>();
        Same<Core.Locks.LockMode, V1.LockMode>();
        Same<Core.Barriers.BarrierAction, V1.BarrierAction>();
        Assert.Equal(Enum.GetValues<V1.LockMode>().Length - 1, Enum.GetValues<Core.Locks.LockMode>().Length);
        Assert.Equal(Enum.GetValues<V1.BarrierAction>().Length - 1, Enum.GetValues<Core.Barriers.BarrierAction>().Length);
    }

    /// <summary>
    /// Each of Core's values has the contract's number and name; <paramref name="none"/> is the name of the contract's unspecified 0.
    /// </summary>
    private static void Same<TCore, TContract>(string? none = null)
        where TCore : struct, Enum
        where TContract : struct, Enum
    {
        foreach (var value in Enum.GetValues<TCore>())
        {
            var counterpart = (TContract)Enum.ToObject(typeof(TContract), Convert.ToInt32(value, null));
            Assert.Equal($"{value}" == none ? "Unspecified" : $"{value}", $"{counterpart}");
        }
    }
}

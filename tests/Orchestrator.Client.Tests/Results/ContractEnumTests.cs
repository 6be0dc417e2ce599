using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.Client.Tests.Results;

/// <summary>The SDK's enums are converted to those of the contract by their numbers.</summary>
public sealed class ContractEnumTests
{
    public static TheoryData<Type, Type> Pairs => new()
    {
        { typeof(RunState), typeof(TaskState) },
        { typeof(FailureReason), typeof(ErrorReason) },
        { typeof(CancelStage), typeof(CancelRung) },
        { typeof(DurabilityLevel), typeof(Durability) },
        { typeof(QueueOrder), typeof(QueueKind) },
        { typeof(WorkerPhase), typeof(WorkerState) },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Each_name_has_the_number_of_the_contract_s(Type own, Type contract)
    {
        var numbers = Numbers(contract);
        numbers.Remove("Unspecified");
        var ours = Numbers(own).Where(pair => pair.Value != 0 || numbers.ContainsKey(pair.Key)).ToDictionary();
        Assert.Equal(numbers.OrderBy(pair => pair.Value), ours.OrderBy(pair => pair.Value));
    }

    private static Dictionary<string, int> Numbers(Type type) =>
        Enum.GetValues(type).Cast<object>().ToDictionary(value => value.ToString()!, Convert.ToInt32);
}

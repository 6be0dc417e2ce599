using System.Reflection;
using Orchestrator.Client.Contract;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Client.Tests.Objects;

/// <summary>
/// Fakes that override nothing: each member that would need a coordinator says so and names itself, whatever is added to the types later.
/// </summary>
public sealed class FakeTests
{
    /// <summary>What a fake has without overriding it.</summary>
    private static readonly string[] s_works = ["get_Lost", nameof(IAsyncDisposable.DisposeAsync)];

    private static readonly object[] s_fakes =
    [
        new FakeSession(), new FakeFlow(), new FakeLock(), new FakeLockHold(), new FakeSemaphore(), new FakePermitHold(), new FakeEvent(),
        new FakeCondition(), new FakeBarrier(), new FakeLatch(), new FakeRateLimiter(), new FakeQueue(), new FakeItem(), new FakeConsumer(),
        new FakePipe(), new FakePipeEnd(), new FakeDirectEnd(), new FakeDict(), new FakeList(), new FakeValue(), new FakeArray(),
    ];

    public static TheoryData<string, string> Members =>
        [.. from fake in s_fakes from method in MethodsOf(fake) select (fake.GetType().Name, method.ToString()!)];

    public static TheoryData<string> ContractCalls => [.. ContractMethods.Select(method => method.ToString()!)];

    private static IEnumerable<MethodInfo> ContractMethods =>
        from type in (Type[])[typeof(SessionContract), typeof(StateContract)]
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static)
        select method;

    [Fact]
    public void Every_type_that_can_be_faked_is_faked_here()
    {
        var canBe = typeof(CoordinationSession).Assembly.GetExportedTypes().Where(type => type is { IsClass: true, IsSealed: false }
            && type.GetConstructors(BindingFlags.Instance | BindingFlags.NonPublic).Any(constructor => constructor.IsFamily));
        Assert.Equal(
            canBe.Select(type => type.Name).Order(StringComparer.Ordinal),
            s_fakes.Select(fake => fake.GetType().BaseType!.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Members))]
    public async Task A_member_that_is_not_overridden_says_so_or_works(string type, string signature)
    {
        var fake = s_fakes.Single(fake => fake.GetType().Name == type);
        var method = MethodsOf(fake).Single(method => method.ToString() == signature);
        if (s_works.Contains(method.Name))
        {
            await CallAsync(method, fake, []);
            return;
        }

        var exception = await Assert.ThrowsAsync<NotSupportedException>(() => CallAsync(method, fake, []));
        var origin = method.DeclaringType!.Name.Split('`')[0];
        Assert.Equal(
            $"{type} does not override {origin}.{method.Name}, which needs a coordinator: override it in the fake.", exception.Message);
    }

    [Theory]
    [MemberData(nameof(ContractCalls))]
    public async Task A_call_with_messages_of_the_contract_says_that_it_needs_a_coordinator(string signature)
    {
        var method = ContractMethods.Single(method => method.ToString() == signature);
        var first = method.GetParameters()[0].ParameterType.Name;
        var fake = s_fakes.Single(fake => fake.GetType().BaseType!.Name == first);
        var exception = await Assert.ThrowsAsync<NotSupportedException>(() => CallAsync(method, null, [fake]));
        Assert.Contains(fake.GetType().Name, exception.Message, StringComparison.Ordinal);
        Assert.Contains(method.Name, exception.Message, StringComparison.Ordinal);
        Assert.Contains("needs a coordinator", exception.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<MethodInfo> MethodsOf(object fake) => fake.GetType().BaseType!
        .GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
        .Where(method => method is { IsVirtual: true, IsFinal: false });

    /// <summary>Calls it, and awaits what it returns: a task, or the first element of a sequence.</summary>
    private static async Task CallAsync(MethodInfo method, object? target, object[] given)
    {
        if (method.IsGenericMethodDefinition)
            method = method.MakeGenericMethod(typeof(long));
        object?[] arguments = [.. given, .. method.GetParameters().Skip(given.Length).Select(ArgumentFor)];
        switch (method.Invoke(target, BindingFlags.DoNotWrapExceptions, null, arguments, null))
        {
            case Task task:
                await task;
                break;
            case ValueTask task:
                await task;
                break;
            case { } sequence when sequence.GetType().GetInterfaces().FirstOrDefault(
                type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)) is { } type:
                await (Task)typeof(FakeTests).GetMethod(nameof(FirstAsync), BindingFlags.Static | BindingFlags.NonPublic)!
                    .MakeGenericMethod(type.GetGenericArguments()).Invoke(null, [sequence])!;
                break;
        }
    }

    private static async Task FirstAsync<T>(IAsyncEnumerable<T> sequence)
    {
        await foreach (var _ in sequence)
            return;
    }

    private static object? ArgumentFor(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        return type == typeof(string) ? "name"
            : type == typeof(int) ? 1
            : type == typeof(UpdateGuard) ? UpdateGuard.AtVersion(1)
            : type == typeof(IEnumerable<long>) ? (long[])[1]
            : type == typeof(Func<long, long>) ? (Func<long, long>)(value => value)
            : type == typeof(IEnumerable<DictEdit>) ? (DictEdit[])[new DictEdit { Key = "key" }]
            : type == typeof(IEnumerable<ListEdit>) ? (ListEdit[])[new ListEdit()]
            : type == typeof(IEnumerable<ArrayEdit>) ? (ArrayEdit[])[new ArrayEdit()]
            : type == typeof(NumberEdit) ? new NumberEdit()
            : type.IsValueType ? Activator.CreateInstance(type)
            : null;
    }

    private sealed class FakeSession : CoordinationSession;

    private sealed class FakeFlow() : SessionFlow("flow");

    private sealed class FakeLock() : SharedLock("lock");

    private sealed class FakeLockHold() : LockHold("lock");

    private sealed class FakeSemaphore() : SharedSemaphore("semaphore");

    private sealed class FakePermitHold : PermitHold;

    private sealed class FakeEvent() : SharedEvent("event");

    private sealed class FakeCondition() : SharedCondition("condition");

    private sealed class FakeBarrier() : SharedBarrier("barrier");

    private sealed class FakeLatch() : SharedLatch("latch");

    private sealed class FakeRateLimiter() : SharedRateLimiter("limiter");

    private sealed class FakeQueue() : SharedQueue<long>("queue");

    private sealed class FakeItem() : LeasedItem<long>(1);

    private sealed class FakeConsumer : QueueConsumer<long>;

    private sealed class FakePipe() : SharedPipe<long>("pipe", new FakePipeEnd(), new FakePipeEnd());

    private sealed class FakePipeEnd : SharedPipeEnd<long>;

    private sealed class FakeDirectEnd : DirectPipeEnd<long>;

    private sealed class FakeDict() : SharedDict<long>("dict");

    private sealed class FakeList() : SharedList<long>("list");

    private sealed class FakeValue() : SharedValue<long>("value");

    private sealed class FakeArray() : SharedArray<long>("array");
}

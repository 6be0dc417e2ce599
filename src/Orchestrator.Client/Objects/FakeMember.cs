using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Orchestrator.Client.Objects;

/// <summary>
/// What fakes do not override. An object that a test derives from one of the SDK's has no session, so a member that needs one must be the
/// fake's own.
/// </summary>
internal static class FakeMember
{
    /// <summary>Throws if the object is a fake, which has not overridden the member that is called.</summary>
    /// <param name="needed">What every object of the SDK has, and no fake: its session, stream, call or queue.</param>
    /// <param name="self">The object.</param>
    /// <param name="member">The member.</param>
    /// <exception cref="NotSupportedException">It is a fake.</exception>
    public static void ThrowIfNull([NotNull] object? needed, object self, string member)
    {
        if (needed is null)
            ThrowNotOverridden(self, member);
    }

    /// <summary>Throws if the object is a fake: a call with messages of the contract cannot be overridden.</summary>
    /// <param name="needed">As with <see cref="ThrowIfNull"/>.</param>
    /// <param name="self">The object.</param>
    /// <param name="member">The call.</param>
    /// <exception cref="NotSupportedException">It is a fake.</exception>
    public static void ThrowIfContract([NotNull] object? needed, object self, [CallerMemberName] string member = "")
    {
        if (needed is null)
            ThrowContract(self, member);
    }

    // Apart from the checks, which so stay small enough to become part of their callers.
    [DoesNotReturn]
    private static void ThrowNotOverridden(object fake, string member) => throw new NotSupportedException(
        $"{Name(fake.GetType())} does not override {Name(OriginOf(fake))}.{member}, which needs a coordinator: override it in the fake.");

    [DoesNotReturn]
    private static void ThrowContract(object fake, string member) => throw new NotSupportedException(
        $"{Name(fake.GetType())} is a fake, and {member} with the messages of the contract needs a coordinator: fake the call above it.");

    // The type of this SDK that the fake is derived from.
    private static Type OriginOf(object fake)
    {
        var type = fake.GetType();
        while (type.Assembly != typeof(FakeMember).Assembly && type.BaseType is { } parent)
            type = parent;
        return type;
    }

    private static string Name(Type type) => type.Name.Split('`')[0];
}

using System.Reflection;
using Orchestrator.Integration.Tests;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(SlowFirst))]

namespace Orchestrator.Integration.Tests;

/// <summary>
/// Starts the classes that are marked as slow before the others: begun last, they would keep one processor busy, and the other idle.
/// </summary>
public sealed class SlowFirst : ITestCollectionOrderer
{
    private static readonly HashSet<string> Slow =
    [
        .. from type in typeof(SlowFirst).Assembly.GetTypes()
           where type.GetCustomAttributes<TraitAttribute>().Any(trait => trait is { Name: "Kind", Value: "slow" })
           select type.FullName!,
    ];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => !Slow.Any(name => IsOf(collection, name)))];

    // A class without a collection of its own is the one of a collection that is named after it.
    private static bool IsOf(ITestCollection collection, string name) =>
        collection.TestCollectionDisplayName.Contains($"for {name} (", StringComparison.Ordinal);
}

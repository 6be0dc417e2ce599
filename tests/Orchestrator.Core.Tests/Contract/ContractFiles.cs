using Google.Protobuf.Reflection;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Core.Tests.Contract;

/// <summary>The compiled descriptors of the contract.</summary>
internal static class ContractFiles
{
    public const string Public = "orchestrator.v1";
    public const string Worker = "orchestrator.worker.v1";
    public const string Local = "orchestrator.local.v1";
    public const string RawMessages = "orchestrator.raw";

    /// <summary>The files of these packages, by name. Found through their types, so that a new file cannot be missed.</summary>
    public static IReadOnlyList<FileDescriptor> Of(params string[] packages) =>
    [
        .. new[] { typeof(ProtocolConstants).Assembly, typeof(MessageBuffer).Assembly }.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(type => type.GetProperty("Descriptor")?.GetValue(null))
            .OfType<FileDescriptor>()
            .Where(file => packages.Contains(file.Package))
            .OrderBy(file => file.Name, StringComparer.Ordinal),
    ];
}

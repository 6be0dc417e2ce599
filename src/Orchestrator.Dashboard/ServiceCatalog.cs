using System.Collections.Frozen;
using Google.Protobuf.Reflection;
using Orchestrator.V1;

namespace Orchestrator.Dashboard;

/// <summary>The methods of the contract that JSON calls can name.</summary>
internal static class ServiceCatalog
{
    private static readonly FrozenDictionary<string, MethodDescriptor> Methods = new[]
    {
        TaskService.Descriptor, AdminService.Descriptor, SessionService.Descriptor, SyncService.Descriptor, QueueService.Descriptor,
        PipeService.Descriptor, StateService.Descriptor,
    }.SelectMany(service => service.Methods).ToFrozenDictionary(method => $"{method.Service.FullName}/{method.Name}");

    /// <summary>All methods, by service and name.</summary>
    public static IReadOnlyDictionary<string, MethodDescriptor> All => Methods;

    /// <summary>Any types that a message may hold inside an Any.</summary>
    public static TypeRegistry Types { get; } = TypeRegistry.FromFiles(
        TaskService.Descriptor.File, AdminService.Descriptor.File, SessionService.Descriptor.File, SyncService.Descriptor.File,
        QueueService.Descriptor.File, PipeService.Descriptor.File, StateService.Descriptor.File);

    /// <summary>The method of a service; null if there is none.</summary>
    public static MethodDescriptor? Find(string service, string method) => Methods.GetValueOrDefault($"{service}/{method}");
}

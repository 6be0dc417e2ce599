using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Orchestrator.Client.Tasks;
using Orchestrator.Integration.Tests.Security;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Fuzz;

/// <summary>
/// Requests with random content, whole and damaged, to every method of the contract: none causes a server error, in the response or in the
/// log, and others are served afterwards.
/// </summary>
public sealed class RequestTests
{
    private static readonly int Seed = int.Parse(
        Environment.GetEnvironmentVariable("ORCHESTRATOR_SEED") ?? "20250613", CultureInfo.InvariantCulture);
    private const int Each = 12;

    // Left out: these end the coordinator, or control its workers, as an operator may.
    private static readonly string[] s_operations = ["Drain", "ScaleWorkers", "RecycleWorkers"];

    [Fact]
    public async Task Random_requests_to_every_method_are_never_an_error_of_the_server()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync(
            "--workers", "1", "--hot-spares", "0", "--verbose", "--allow-chaos");
        var methods = new[] { TasksReflection.Descriptor, QueuesReflection.Descriptor, PipesReflection.Descriptor,
            StateReflection.Descriptor, SyncReflection.Descriptor, SessionsReflection.Descriptor, AdminReflection.Descriptor }
            .SelectMany(file => file.Services).SelectMany(service => service.Methods).Where(method => !s_operations.Contains(method.Name))
            .ToArray();
        Assert.True(methods.Length > 40, $"{methods.Length}");
        var random = new Random(Seed);
        foreach (var method in methods)
        {
            // Concurrently, since waiting calls would otherwise wait one after the other.
            await Task.WhenAll(
                Enumerable.Range(0, Each).Select(i => CallAsync(coordinator, method, Request(method, random, damaged: i % 3 == 0))));
        }

        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo", "1"))).State);
    }

    private static byte[] Request(MethodDescriptor method, Random random, bool damaged)
    {
        var whole = RandomMessages.Make(method.InputType, random).ToByteArray();
        return damaged ? Mutations.Of(random.Next(), whole).ElementAt(1) : whole;
    }

    private static async Task CallAsync(CoordinatorProcess coordinator, MethodDescriptor method, byte[] request)
    {
        var error = await RpcCatalogue.CallAsync(coordinator.Invoker, method.Service.FullName, method.Name, message: request, seconds: 2);
        Assert.True(
            error?.StatusCode is not (StatusCode.Internal or StatusCode.Unknown or StatusCode.Unimplemented or StatusCode.DataLoss
                or StatusCode.Unauthenticated or StatusCode.PermissionDenied),
            $"seed {Seed}, {method.FullName} of {Convert.ToHexString(request)}: {error?.Status}");
    }
}

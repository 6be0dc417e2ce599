using Orchestrator.Handlers.Chaos;
using Orchestrator.Handlers.Common;
using Orchestrator.Handlers.Cpu;
using Orchestrator.Handlers.Io;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers;

/// <summary>The handlers that ship with the product: for first calls, measurements, tests and scripts.</summary>
public static class StockHandlers
{
    /// <summary>Maps all of them; those that crash workers only if the options allow it.</summary>
    public static void Register(TaskHandlerRegistry registry, StockHandlerOptions options)
    {
        ArgumentNullException.ThrowIfNull(registry);
        ArgumentNullException.ThrowIfNull(options);
        NumberHandlers.Register(registry);
        ByteHandlers.Register(registry);
        NumericHandlers.Register(registry);
        WaitHandlers.Register(registry);
        SharingHandlers.Register(registry);
        ExchangeHandlers.Register(registry);
        CountingHandlers.Register(registry);
        FileHandlers.Register(registry, options);
        HttpHandlers.Register(registry, options);
        SqlHandlers.Register(registry, options);
        if (options.AllowChaos)
            ChaosHandlers.Register(registry);
    }
}

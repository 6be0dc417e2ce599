using Microsoft.Extensions.Options;

namespace Orchestrator.App;

/// <summary>Begins with the options that the app was created with; configuration changes a copy of them.</summary>
internal sealed class AppOptionsFactory(
    OrchestratorApp app,
    IEnumerable<IConfigureOptions<OrchestratorAppOptions>> setups,
    IEnumerable<IPostConfigureOptions<OrchestratorAppOptions>> postConfigures,
    IEnumerable<IValidateOptions<OrchestratorAppOptions>> validations)
    : OptionsFactory<OrchestratorAppOptions>(setups, postConfigures, validations)
{
    protected override OrchestratorAppOptions CreateInstance(string name) => app.Options with { };
}

/// <summary>Names all faults of a pool's options at once.</summary>
internal sealed class AppOptionsValidator : IValidateOptions<OrchestratorAppOptions>
{
    public ValidateOptionsResult Validate(string? name, OrchestratorAppOptions options) =>
        options.ToCoordinator(options.DataDirectory ?? "/", ["worker"]).Validate() is { Count: > 0 } faults
            ? ValidateOptionsResult.Fail($"The pool's options are not valid: {string.Join("; ", faults)}")
            : ValidateOptionsResult.Success;
}

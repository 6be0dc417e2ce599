using Orchestrator.Worker;

namespace Orchestrator.Cli.Guide;

/// <summary>One row of the guide: a subject of concurrency, shown by a small program that can be read and run.</summary>
/// <param name="name">As it is asked for.</param>
/// <param name="section">Where the guide that this project was made from treats it.</param>
/// <param name="title">In a few words.</param>
internal abstract class GuideRow(string name, string section, string title)
{
    public string Name => name;

    public string Section => section;

    public string Title => title;

    /// <summary>The name of its source file.</summary>
    public string File => $"{GetType().Name}.cs";

    /// <summary>Its source, as this command was built from.</summary>
    public string ReadSource()
    {
        using var stream = typeof(GuideRow).Assembly.GetManifestResourceStream($"guide/{File}")
            ?? throw new InvalidOperationException($"{File} is not in this build: a row's file has the name of its class");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The handlers that this row needs beside the stock ones: the half of its program that runs in the workers.</summary>
    public virtual void MapHandlers(ITaskMap map)
    {
    }

    /// <summary>Runs it, says what happens, and claims what it shows.</summary>
    public abstract Task RunAsync(GuideContext guide);
}

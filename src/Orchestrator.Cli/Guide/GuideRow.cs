using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide;

/// <summary>One row of the guide: a topic of concurrency, shown by a small program to read and run.</summary>
/// <param name="name">The name on the command line.</param>
/// <param name="section">The section in the guide that this project is based on.</param>
/// <param name="title">A short description.</param>
internal abstract class GuideRow(string name, string section, string title)
{
    public string Name => name;

    public string Section => section;

    public string Title => title;

    /// <summary>The name of its source file.</summary>
    public string File => $"{GetType().Name}.cs";

    /// <summary>Its source code, embedded in this build.</summary>
    public string ReadSource()
    {
        using var stream = typeof(GuideRow).Assembly.GetManifestResourceStream($"guide/{File}")
            ?? throw new InvalidOperationException($"{File} is not in this build: a row's file has the name of its class");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The handlers that this row needs besides the stock ones: the part of its program that runs in the workers.</summary>
    public virtual void MapHandlers(ITaskMap map)
    {
    }

    /// <summary>Runs the row, prints explanations, and states its claims.</summary>
    public abstract Task RunAsync(GuideContext guide);
}

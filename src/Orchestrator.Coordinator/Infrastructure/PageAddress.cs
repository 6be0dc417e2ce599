namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>Where the page is.</summary>
internal sealed class PageAddress
{
    private volatile string _url = "";

    /// <summary>Such as <c>http://127.0.0.1:7601/</c>; empty before the start, and if no port is opened.</summary>
    public string Url
    {
        get => _url;
        set => _url = value;
    }
}

namespace Orchestrator.Cli.Doctor;

/// <summary>The outcome of a check.</summary>
internal enum Verdict
{
    Ok,

    /// <summary>It works, but not well or not always.</summary>
    Warn,

    /// <summary>It does not work.</summary>
    Fail,
}

/// <summary>One line of <c>orchestrator doctor</c>.</summary>
/// <param name="Name">The subject of the check.</param>
/// <param name="Verdict">The outcome.</param>
/// <param name="Finding">The finding, with its number.</param>
/// <param name="Advice">The advice; empty if all is well.</param>
internal sealed record Check(string Name, Verdict Verdict, string Finding, string Advice = "")
{
    public static Check Ok(string name, string finding) => new(name, Verdict.Ok, finding);

    /// <summary>Fails below the required value, warns below the recommended one.</summary>
    public static Check AtLeast(string name, long value, long needed, long wise, string finding, string advice) => new(
        name,
        value < needed ? Verdict.Fail : value < wise ? Verdict.Warn : Verdict.Ok,
        finding,
        value < wise ? advice : "");
}

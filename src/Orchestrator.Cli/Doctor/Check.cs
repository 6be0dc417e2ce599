namespace Orchestrator.Cli.Doctor;

/// <summary>How a check came out.</summary>
internal enum Verdict
{
    Ok,

    /// <summary>It will work, but not as well, or not always.</summary>
    Warn,

    /// <summary>It will not work.</summary>
    Fail,
}

/// <summary>One line of <c>orchestrator doctor</c>.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Verdict">How it came out.</param>
/// <param name="Finding">What was found, with its number.</param>
/// <param name="Advice">What to do; empty where all is well.</param>
internal sealed record Check(string Name, Verdict Verdict, string Finding, string Advice = "")
{
    public static Check Ok(string name, string finding) => new(name, Verdict.Ok, finding);

    /// <summary>Fails below what is needed, warns below what is wise.</summary>
    public static Check AtLeast(string name, long value, long needed, long wise, string finding, string advice) => new(
        name,
        value < needed ? Verdict.Fail : value < wise ? Verdict.Warn : Verdict.Ok,
        finding,
        value < wise ? advice : "");
}

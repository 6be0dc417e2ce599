using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.TestKit;

/// <summary>How a session is shown to others: computed here independently, from the contract.</summary>
public static class SessionAlias
{
    /// <summary>Of a session's id.</summary>
    public static string Of(string id) => $"s-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..8]}";
}

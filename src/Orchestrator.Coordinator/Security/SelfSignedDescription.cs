namespace Orchestrator.Coordinator.Security;

/// <summary>A certificate that the coordinator made for itself.</summary>
/// <param name="Path">Its PEM file, which clients name as their authority.</param>
/// <param name="Fingerprint">Its SHA-256 fingerprint, in pairs of hexadecimal digits.</param>
public sealed record SelfSignedDescription(string Path, string Fingerprint);

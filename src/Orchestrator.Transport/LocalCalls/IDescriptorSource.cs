using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>The responses of a call that may bring a file descriptor: of those over the local transport.</summary>
internal interface IDescriptorSource
{
    /// <summary>
    /// The descriptor, which the caller owns, once a response is awaited; fails as the call does if that ends before.
    /// </summary>
    Task<SafeFileHandle> Descriptor { get; }
}

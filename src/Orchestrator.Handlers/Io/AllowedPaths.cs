using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Handlers.Io;

/// <summary>Decides whether a path lies below an allowed directory, after every <c>..</c> and symbolic link in it is resolved.</summary>
internal sealed class AllowedPaths(IList<string> directories, IList<string> denied)
{
    // As many as the kernel follows before it fails.
    private const int MaxLinks = 40;

    /// <summary>The real path, or an invalid input that names the option.</summary>
    public string Resolve(string field, string path)
    {
        if (path.Length == 0 || path.Contains('\0'))
            throw new InvalidInputException(field, "must be a path");
        if (directories.Count == 0)
            throw Outside(field, path);
        // Relative paths would depend on where the coordinator was started.
        if (!Path.IsPathFullyQualified(path))
            throw new InvalidInputException(field, $"must be an absolute path, got '{path}'");
        var real = RealPath(path);
        // The error does not reveal whether an outside path exists.
        if (!IsInside(real))
            throw Outside(field, path);
        return File.Exists(real) ? real : throw new InvalidInputException(field, $"names no file: '{path}'");
    }

    /// <summary>
    /// Checks the file that was actually opened, since a link may have been swapped after <see cref="Resolve"/>.
    /// </summary>
    public void CheckOpened(string field, string path, SafeFileHandle handle) => CheckOpened(field, path, (int)handle.DangerousGetHandle());

    /// <summary>As above, by the descriptor.</summary>
    public void CheckOpened(string field, string path, int descriptor)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var opened = new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget;
        if (opened is null || !IsInside(opened))
            throw Outside(field, path);
    }

    private bool IsInside(string real) =>
        directories.Any(directory => IsBelow(real, directory)) && !denied.Any(directory => IsBelow(real, directory));

    private static bool IsBelow(string real, string directory)
    {
        var root = RealPath(Path.GetFullPath(directory));
        return real.StartsWith(root.EndsWith('/') ? root : root + "/", StringComparison.Ordinal);
    }

    private InvalidInputException Outside(string field, string path) => new(
        field,
        directories.Count == 0
            ? "is not allowed: the stock handlers read no files unless the option AllowedDirectories lists their directories ('serve " +
                $"--allow-directory DIR'), got '{path}'"
            : $"is outside the directories that the option AllowedDirectories lists, got '{path}'");

    private static string RealPath(string path)
    {
        var real = "/";
        var links = 0;
        var steps = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        while (steps.TryPop(out var step))
        {
            if (step == ".")
                continue;
            if (step == "..")
            {
                // The parent of the resolved directory, as in the kernel: 'link/..' is not the directory that contains the link.
                real = Path.GetDirectoryName(real) ?? "/";
                continue;
            }

            var next = Path.Combine(real, step);
            if (LinkTarget(next) is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MaxLinks)
                throw new InvalidInputException("path", "has too many symbolic links");
            if (target.StartsWith('/'))
                real = "/";
            foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                steps.Push(part);
        }

        return real;
    }

    private static string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>
/// Refuses files and directories that other users could have created or can change: a user with write access to the tokens' directory could
/// become the owner.
/// </summary>
internal static unsafe class OwnedPath
{
    private const UnixFileMode WritableForOthers = UnixFileMode.OtherWrite;
    private const int NoFollow = 0x100;
    private const int Directory = 0x4000;
    private const int Link = 0xa000;
    private const int KindMask = 0xf000;

    /// <summary>Checks a directory and all its ancestors. Returns a warning if its group may write; else null.</summary>
    /// <param name="path">The directory, which exists.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <exception cref="IOException">Another user owns the directory, may write in it or may replace it; the message says
    /// which.</exception>
    public static string? CheckDirectory(string path, string what)
    {
        // Any part of the path may be a link, and the owner of each directory on the path controls its entries.
        var real = RealPath(path);
        var own = ReadStat(real, follow: true);
        if ((own.Mode & KindMask) != Directory)
            throw new IOException($"{what} {path} is not a directory");
        Check(real, own, what, isAbove: false);
        for (var above = Path.GetDirectoryName(real); above is not null; above = Path.GetDirectoryName(above))
            Check(above, ReadStat(above, follow: true), $"{above}, above {what}", isAbove: true);
        return ((UnixFileMode)(own.Mode & 0x1ff)).HasFlag(UnixFileMode.GroupWrite)
            ? $"{what} {path} may be written by its group, whose members can call themselves its owner; chmod g-w {path}"
            : null;
    }

    /// <summary>Checks a file, if it exists. Returns a warning if its group may write; else null.</summary>
    /// <param name="path">The file; it may be a link only if root created it, as for a mounted secret.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <exception cref="IOException">Another user owns the file, may write it, or created it as a link; the message says which.</exception>
    public static string? CheckFile(string path, string what)
    {
        if (!File.Exists(path))
            return null;
        var own = ReadStat(path, follow: false);
        if ((own.Mode & KindMask) == Link)
        {
            if (own.User != 0 && own.User != NativeMethods.geteuid())
                throw new IOException($"{what} {path} is a link that user {own.User} has made; remove it");
            CheckDirectory(Path.GetDirectoryName(RealPath(path))!, $"the directory of {what}");
            own = ReadStat(path, follow: true);
        }

        Check(path, own, what, isAbove: false);
        return ((UnixFileMode)(own.Mode & 0x1ff)).HasFlag(UnixFileMode.GroupWrite)
            ? $"{what} {path} may be written by its group; chmod g-w {path}" : null;
    }

    /// <summary>Whether this user owns the file, so that its mode can be set.</summary>
    public static bool IsOwn(string path) => ReadStat(path, follow: true).User == NativeMethods.geteuid();

    private static void Check(string path, in Stat stat, string what, bool isAbove)
    {
        var user = NativeMethods.geteuid();
        if (stat.User != user && stat.User != 0)
        {
            throw new IOException(
                $"{what}{(isAbove ? "" : $" {path}")} belongs to user {stat.User}, neither to this one ({user}) nor to root; " +
                $"{(isAbove ? "choose another place" : "remove it, or choose another place")}");
        }

        // In a sticky directory, such as /tmp, users cannot remove or replace the files of other users.
        var isSticky = ((UnixFileMode)(stat.Mode & 0xfff)).HasFlag(UnixFileMode.StickyBit);
        if (((UnixFileMode)(stat.Mode & 0x1ff)).HasFlag(WritableForOthers) && !(isAbove && isSticky))
            throw new IOException($"{what}{(isAbove ? "" : $" {path}")} may be written by every user of this machine; chmod o-w {path}, " +
                "or choose another place");
    }

    private static string RealPath(string path)
    {
        var real = "/";
        var links = 0;
        var steps = new Stack<string>(Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        while (steps.TryPop(out var step))
        {
            if (step == ".")
                continue;
            if (step == "..")
            {
                real = Path.GetDirectoryName(real) ?? "/";
                continue;
            }

            var next = Path.Combine(real, step);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > 40)
                throw new IOException($"{path} contains too many links");
            if (target.StartsWith('/'))
                real = "/";
            foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                steps.Push(part);
        }

        return real;
    }

    private static Stat ReadStat(string path, bool follow)
    {
        // … stx_uid at 20, stx_gid at 24, stx_mode at 28.
        var buffer = stackalloc byte[256];
        if (NativeMethods.statx(NativeMethods.CurrentDirectory, path, follow ? 0 : NoFollow, NativeMethods.BasicStats, buffer) != 0)
            throw new IOException($"{path} cannot be inspected: {Marshal.GetLastPInvokeErrorMessage()}");
        var stat = new ReadOnlySpan<byte>(buffer, 256);
        return new Stat(BinaryPrimitives.ReadUInt32LittleEndian(stat[20..]), BinaryPrimitives.ReadUInt16LittleEndian(stat[28..]));
    }

    private readonly record struct Stat(uint User, ushort Mode);
}

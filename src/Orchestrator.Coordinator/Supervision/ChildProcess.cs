using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>The end of a child process, as the kernel accounted it.</summary>
/// <param name="ExitCode">The exit code, if it exited by itself.</param>
/// <param name="Signal">The number of the signal that ended it, or 0.</param>
/// <param name="PeakRssBytes">Its peak resident memory.</param>
/// <param name="CpuTime">User and system time.</param>
internal sealed record ChildExit(int? ExitCode, int Signal, long PeakRssBytes, TimeSpan CpuTime);

/// <summary>
/// One child process in a process group of its own: its standard input stays open until it is asked to end, its output is drained into a
/// ring buffer, and a dedicated thread detects its exit at once.
/// </summary>
internal sealed unsafe class ChildProcess : IDisposable
{
    /// <summary>The descriptor number of the inherited handle in the child, besides the standard three.</summary>
    public const int InheritedDescriptor = 3;

    private const int SmallStack = 256 * 1024;

    // After the child's exit, a grandchild may hold the output pipe open forever.
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMilliseconds(200);

    private readonly FileStream _input;
    private readonly SafeFileHandle _output;
    private readonly Lock _outputGate = new();
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly ManualResetEventSlim _drained = new();
    private readonly TaskCompletionSource<ChildExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _signalGate = new();
    private bool _reaped;

    private ChildProcess(int pid, FileStream input, SafeFileHandle output)
    {
        Pid = pid;
        _input = input;
        _output = output;
    }

    public int Pid { get; }

    public OutputRingBuffer Output { get; } = new();

    /// <summary>Completes when the process has ended and the end of its output has been read.</summary>
    public Task<ChildExit> Exited => _exited.Task;

    /// <summary>
    /// Starts a command. Called on the single spawning thread: the child inherits that thread's affinity, and its parent-death signal
    /// follows that thread.
    /// </summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">All its variables.</param>
    /// <param name="name">For messages.</param>
    /// <param name="inherited">Passed on as descriptor <see cref="InheritedDescriptor"/>.</param>
    /// <exception cref="IOException">The command cannot be started; the message says which and why.</exception>
    public static ChildProcess Start(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string name, SafeFileHandle inherited)
    {
        var (childInput, inputEnd) = MakePipe(name);
        using var firstOfInput = childInput;
        var ownInput = new FileStream(inputEnd, FileAccess.Write, bufferSize: 0);
        SafeFileHandle outputEnd, childOutput;
        try
        {
            (outputEnd, childOutput) = MakePipe(name);
        }
        catch
        {
            ownInput.Dispose();
            throw;
        }

        using var secondOfOutput = childOutput;
        var error = Spawn(command, environment, childInput, childOutput, inherited, out var pid);
        if (error != 0)
        {
            ownInput.Dispose();
            outputEnd.Dispose();
            throw new IOException($"cannot start {name} by '{string.Join(' ', command)}': {Marshal.GetPInvokeErrorMessage(error)}", error);
        }

        var child = new ChildProcess(pid, ownInput, outputEnd);
        new Thread(child.DrainOutput, SmallStack) { IsBackground = true, Name = $"{name} output" }.Start();
        new Thread(child.WaitForExit, SmallStack) { IsBackground = true, Name = $"{name} exit" }.Start();
        return child;
    }

    /// <summary>Writes one line to the child's standard input, which stays open.</summary>
    public void WriteLine(string line)
    {
        try
        {
            _input.Write(Encoding.UTF8.GetBytes(line + "\n"));
        }
        catch (IOException)
        {
            // The child has already ended; its exit status says more.
        }
    }

    /// <summary>
    /// Signals the child's whole process group, so that its own children receive the signal too. Does nothing once the child has been
    /// reaped: the pid may have been reused.
    /// </summary>
    public void Signal(int signal)
    {
        lock (_signalGate)
        {
            if (!_reaped)
                _ = NativeMethods.kill(-Pid, signal);
        }
    }

    /// <summary>Gives all its threads the lowest processor priority.</summary>
    public void LowerPriority()
    {
        lock (_signalGate)
        {
            if (!_reaped)
                _ = NativeMethods.setpriority(NativeMethods.PriorityOfProcessGroup, Pid, 19);
        }
    }

    public void Dispose()
    {
        _input.Dispose();
        Signal(NativeMethods.SigKill);
    }

    private static (SafeFileHandle Read, SafeFileHandle Write) MakePipe(string name)
    {
        var ends = stackalloc int[2];
        if (NativeMethods.pipe2(ends, NativeMethods.OCloExec) != 0)
            throw new IOException($"cannot make pipes for {name}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
        return (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }

    private static int Spawn(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, SafeFileHandle childInput,
        SafeFileHandle childOutput, SafeFileHandle inherited, out int pid)
    {
        // The C library's types are 80 and 336 bytes with glibc; sigset_t is 128.
        var actions = stackalloc byte[1_024];
        var attributes = stackalloc byte[1_024];
        var signals = stackalloc byte[256];
        _ = NativeMethods.posix_spawn_file_actions_init(actions);
        _ = NativeMethods.posix_spawn_file_actions_adddup2(actions, (int)childInput.DangerousGetHandle(), 0);
        _ = NativeMethods.posix_spawn_file_actions_adddup2(actions, (int)childOutput.DangerousGetHandle(), 1);
        _ = NativeMethods.posix_spawn_file_actions_adddup2(actions, (int)childOutput.DangerousGetHandle(), 2);
        // Last, since the target number may be that of one of the other descriptors.
        _ = NativeMethods.posix_spawn_file_actions_adddup2(actions, (int)inherited.DangerousGetHandle(), InheritedDescriptor);
        _ = NativeMethods.posix_spawnattr_init(attributes);
        _ = NativeMethods.posix_spawnattr_setflags(
            attributes, NativeMethods.SpawnSetProcessGroup | NativeMethods.SpawnSetSignalDefaults | NativeMethods.SpawnSetSignalMask);
        // A group of its own: Ctrl-C at the terminal does not reach it, and one kill reaches all its descendants.
        _ = NativeMethods.posix_spawnattr_setpgroup(attributes, 0);
        // The runtime ignores SIGPIPE; a worker in another language expects the defaults.
        _ = NativeMethods.sigfillset(signals);
        _ = NativeMethods.posix_spawnattr_setsigdefault(attributes, signals);
        _ = NativeMethods.sigemptyset(signals);
        _ = NativeMethods.posix_spawnattr_setsigmask(attributes, signals);
        var argv = ToNative(command);
        var envp = ToNative([.. environment.Select(item => $"{item.Key}={item.Value}")]);
        try
        {
            int child;
            var error = NativeMethods.posix_spawnp(&child, command[0], actions, attributes, argv, envp);
            pid = child;
            return error;
        }
        finally
        {
            Free(argv);
            Free(envp);
            _ = NativeMethods.posix_spawn_file_actions_destroy(actions);
            _ = NativeMethods.posix_spawnattr_destroy(attributes);
        }
    }

    private static byte** ToNative(IReadOnlyList<string> strings)
    {
        var array = (byte**)NativeMemory.AllocZeroed((nuint)(strings.Count + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < strings.Count; i++)
            array[i] = (byte*)Marshal.StringToCoTaskMemUTF8(strings[i]);
        return array;
    }

    private static void Free(byte** array)
    {
        for (var item = array; *item is not null; item++)
            Marshal.FreeCoTaskMem((nint)(*item));
        NativeMemory.Free(array);
    }

    /// <summary>Drains the output written so far, for a caller whose next step must follow that output.</summary>
    public void DrainNow()
    {
        lock (_outputGate)
        {
            while (ReadAvailable())
            {
            }
        }
    }

    private void DrainOutput()
    {
        while (NativeMethods.WaitUntilReadable(_output))
        {
            lock (_outputGate)
            {
                // Another thread may have read the bytes meanwhile, and a read would block.
                if (!ReadAvailable() && NativeMethods.IsAtEnd(_output))
                    break;
            }
        }

        _drained.Set();
    }

    private bool ReadAvailable()
    {
        if (NativeMethods.Readable(_output) == 0)
            return false;
        fixed (byte* buffer = _buffer)
        {
            var count = NativeMethods.read(_output, buffer, (nuint)_buffer.Length);
            if (count <= 0)
                return false;
            Output.Append(_buffer.AsSpan(0, (int)count));
            return true;
        }
    }

    private void WaitForExit()
    {
        int status;
        NativeMethods.ResourceUsage usage;
        // First wait without reaping: the zombie reserves the pid until the lock is held, so that no signal hits an unrelated process.
        while (NativeMethods.waitid(NativeMethods.ByPid, Pid, null, NativeMethods.WaitExited | NativeMethods.WaitNoReap) < 0
            && Marshal.GetLastPInvokeError() == NativeMethods.Interrupted)
        {
        }

        lock (_signalGate)
        {
            // Processes that the child started and left behind are killed too.
            _ = NativeMethods.kill(-Pid, NativeMethods.SigKill);
            _reaped = true;
            _ = NativeMethods.wait4(Pid, &status, 0, &usage);
        }

        _drained.Wait(DrainLimit);
        var signal = status & 0x7f;
        var cpu = TimeSpan.FromSeconds(usage.UserSeconds + usage.SystemSeconds)
            + TimeSpan.FromMicroseconds(usage.UserMicroseconds + usage.SystemMicroseconds);
        _exited.TrySetResult(new ChildExit(signal == 0 ? (status >> 8) & 0xff : null, signal, usage.MaxResidentKilobytes * 1_024, cpu));
    }
}

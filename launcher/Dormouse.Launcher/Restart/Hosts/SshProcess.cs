using System.Collections;
using Dormouse.Launcher.Launch;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>
/// ssh to one host, as a child: its standard input is ours to write to, its output and errors are those of dmrestart, also when that
/// has become the restorer.
/// </summary>
internal sealed unsafe class SshProcess
{
    private const int NoHang = 1; // WNOHANG

    private readonly int _pid;
    private int? _status;

    private SshProcess(int pid, FileStream input) => (_pid, Input) = (pid, input);

    public FileStream Input { get; }

    /// <summary>The exit status, or 128 and the signal; null: it runs.</summary>
    public int? ExitCode
    {
        get
        {
            int status;
            if (_status is null && RestartNative.Wait(_pid, &status, NoHang) == _pid) _status = Decode(status);
            return _status;
        }
    }

    /// <exception cref="RestartException">There is no ssh.</exception>
    public static SshProcess Start(string host, string script)
    {
        int* pipe = stackalloc int[2];
        const int CloseOnExec = 0x80000;
        if (RestartNative.Pipe(pipe, CloseOnExec) < 0) throw new RestartException("cannot make a pipe.");
        using NativeStrings path = new(ProgramCheck.Find("ssh"));
        using NativeStrings arguments = new("ssh", "-T", "--", host, script);
        using NativeStrings environment = new([.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => $"{entry.Key}={entry.Value}")]);
        int pid;
        int error = SpawnWithInput(&pid, path.Pointer[0], pipe[0], arguments.Pointer, environment.Pointer);
        _ = RestartNative.Close(pipe[0]);
        if (error != 0) throw new RestartException($"cannot start ssh: {((Interop.Errno)error).ToString()}.");
        return new SshProcess(pid, new FileStream(new SafeFileHandle(pipe[1], ownsHandle: true), FileAccess.Write, bufferSize: 0));
    }

    /// <summary>That ended it; 0: none.</summary>
    public int Signal { get; private set; }

    /// <summary>Waits for its end.</summary>
    public int WaitForEnd()
    {
        int status;
        if (_status is null && RestartNative.Wait(_pid, &status, 0) == _pid) _status = Decode(status);
        return _status ?? Tools.ExitCode.CannotLaunch;
    }

    private int Decode(int status)
    {
        Signal = status & 0x7f;
        return Signal != 0 ? 128 + Signal : (status >> 8) & 0xff;
    }

    /// <summary>posix_spawn(3); .NET has ignored SIGPIPE, which ssh should not inherit.</summary>
    private static int SpawnWithInput(int* pid, byte* path, int input, byte** arguments, byte** environment)
    {
        const int OpaqueBytes = 512; // more than posix_spawnattr_t and posix_spawn_file_actions_t have
        const short SetSignalDefaults = 4; // POSIX_SPAWN_SETSIGDEF
        byte* actions = stackalloc byte[OpaqueBytes], attributes = stackalloc byte[OpaqueBytes];
        ulong* defaults = stackalloc ulong[16] { 1ul << 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }; // sigset_t with SIGPIPE
        _ = RestartNative.InitializeSpawnActions(actions);
        _ = RestartNative.AddSpawnDuplicate(actions, input, 0);
        _ = RestartNative.InitializeSpawnAttributes(attributes);
        _ = RestartNative.SetSpawnSignalDefaults(attributes, defaults);
        _ = RestartNative.SetSpawnFlags(attributes, SetSignalDefaults);
        return RestartNative.Spawn(pid, path, actions, attributes, arguments, environment);
    }
}

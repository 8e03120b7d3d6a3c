using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Memory;

namespace Dormouse.Runtime;

/// <summary>Sentences for the user that have no other way out. A program's own standard error is not ours to write to: they go
/// to the file that DORMOUSE_LOG names, which dmlaunch sets for its own descriptor, else nowhere but to the coordinator.</summary>
internal static class Diagnostics
{
    private static string? s_logPath;

    public static void Report(string sentence)
    {
        s_logPath ??= Find();
        if (s_logPath.Length == 0)
        {
            return;
        }

        int fd = Kernel.Open(s_logPath, Constant.O_WRONLY | Constant.O_CREAT | Constant.O_APPEND | Constant.O_CLOEXEC | Constant.O_NOCTTY, 0x180);
        if (fd >= 0)
        {
            Kernel.Write(fd, KernelText.ToBytes($"dormouse[{Kernel.Pid}]: {sentence}\n"));
            Kernel.Close(fd);
        }
    }

    private static string Find()
    {
        foreach (string variable in ProcFile.ReadStrings("/proc/self/environ"))
        {
            if (variable.StartsWith("DORMOUSE_LOG=", StringComparison.Ordinal))
            {
                return variable["DORMOUSE_LOG=".Length..];
            }
        }

        return "";
    }
}

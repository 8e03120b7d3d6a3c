// World: restored process.
using System.Globalization;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Files;

/// <summary>A new file without a name: beside where the old one was, or in memory when that place is gone.</summary>
internal static unsafe class UnlinkedFile
{
    private const string Addition = ".dormouse-";

    public static int Make(string path, int flags)
    {
        int wanted = flags & ~(Constant.O_CREAT | Constant.O_EXCL | Constant.O_TRUNC | Constant.O_TMPFILE | Constant.O_NOFOLLOW);
        int addition = path.LastIndexOf(Addition, System.StringComparison.Ordinal);
        string name = (addition < 0 ? path : path[..addition]) + Addition + Kernel.Pid.ToString(CultureInfo.InvariantCulture);
        int fd = Kernel.Open(name, Constant.O_RDWR | Constant.O_CREAT | Constant.O_EXCL | Constant.O_CLOEXEC, 0x180);
        if (fd >= 0)
        {
            int again = Kernel.Open(name, wanted);
            Kernel.Unlink(name);
            Kernel.Close(fd);
            return again;
        }

        fixed (byte* text = "dormouse"u8)
        {
            int memory = (int)Kernel.Call(SystemCall.MemFdCreate, (long)text, 0);
            int again = Kernel.Open(ProcFile.DescriptorPath(memory), wanted);
            Kernel.Close(memory);
            return again;
        }
    }

    /// <summary>Gives it its contents, also when <paramref name="fd"/> is open for reading only.</summary>
    public static void Fill(int fd, FileContents contents, string path)
    {
        int writable = Kernel.Open(ProcFile.DescriptorPath(fd), Constant.O_RDWR | Constant.O_CLOEXEC);
        contents.WriteTo(writable, path);
        Kernel.Close(writable);
    }
}

using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Files;

/// <summary>What kind of file system a file is on: statfs(2), include/uapi/linux/magic.h.</summary>
internal static unsafe class FileSystemKind
{
    private const long Proc = 0x9FA0, Sys = 0x62656572, Cgroup = 0x27E0EB, Cgroup2 = 0x63677270, Debug = 0x64626720, Trace = 0x74726163, Security = 0x73636673,
        Bpf = 0xCAFE4A11, Pstore = 0x6165676C, Efivars = 0xDE5E81E4, Selinux = 0xF97CFF8C;

    private const long Tmpfs = 0x01021994, Ramfs = 0x858458F6, Hugetlbfs = 0x958458F6;
    private const int StatFsWords = 15; // struct statfs, 120 bytes; the type comes first

    /// <summary>"Files" that are windows into the kernel: what was written to them is not kept there.</summary>
    public static bool IsKernel(int fd)
        => Of(fd) is Proc or Sys or Cgroup or Cgroup2 or Debug or Trace or Security or Bpf or Pstore or Efivars or Selinux;

    /// <summary>Whether a file at <paramref name="path"/> exists in memory only, so that all its pages are there to be seen.</summary>
    public static bool IsMemory(string path)
    {
        int fd = Kernel.Open(path, Constant.O_PATH | Constant.O_CLOEXEC);
        long type = Of(fd);
        Kernel.Close(fd);
        return type is Tmpfs or Ramfs or Hugetlbfs;
    }

    private static long Of(int fd)
    {
        long* result = stackalloc long[StatFsWords];
        return Kernel.Call(SystemCall.FStatFs, fd, (long)result) < 0 ? 0 : result[0];
    }
}

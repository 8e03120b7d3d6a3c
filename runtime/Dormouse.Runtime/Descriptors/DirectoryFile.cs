using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>A directory, or a file open with O_PATH: the path, and how far getdents64(2) had read.</summary>
internal sealed class DirectoryFile(DescriptorInfo info) : OpenFile(info)
{
    public override string Kind => "directory";

    public override ResourceKey Key => ObjectKeys.OfFile(Info, "directory");

    public override void Capture()
    {
        if (Info.IsDeleted)
        {
            throw new CheckpointException($"fd {Info.Fd} is the directory {Info.Path}, which has been removed. Create it again or close it before the checkpoint.");
        }
    }

    public override int Reopen()
    {
        int fd = Kernel.Open(Info.Path, Info.Flags & ~(Constant.O_CREAT | Constant.O_EXCL | Constant.O_TRUNC));
        if (fd < 0)
        {
            throw new CheckpointException($"cannot open the directory {Info.Path} (fd {Info.Fd}) again: {Errno.Text(fd)}. Put it back and run dmrestart again.");
        }

        if (Info.Position != 0)
        {
            Kernel.Seek(fd, Info.Position, Constant.SEEK_SET);
        }

        return fd;
    }
}

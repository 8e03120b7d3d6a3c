// World: Guest and Frozen.
using System.Globalization;

namespace Dormouse.Runtime.Interop;

/// <summary>A directory of /proc whose small files are named by numbers, of which there may be thousands.</summary>
internal sealed unsafe class NumberedFiles : IDisposable
{
    private const int UsualBytes = 1024, NameBytes = 16;
    private readonly string _path;
    private readonly int _directory;
    private readonly byte[] _text = new byte[UsualBytes];

    public NumberedFiles(string path)
    {
        _path = path;
        _directory = Kernel.Open(path, Constant.O_PATH | Constant.O_DIRECTORY | Constant.O_CLOEXEC);
    }

    /// <summary>All of one file, until the next is read; empty when it cannot be read.</summary>
    public ReadOnlySpan<byte> Read(int number)
    {
        byte* name = stackalloc byte[NameBytes];
        number.TryFormat(new Span<byte>(name, NameBytes - 1), out _, default, CultureInfo.InvariantCulture);
        int fd = (int)Kernel.Call(SystemCall.OpenAt, _directory, (long)name, Constant.O_RDONLY | Constant.O_CLOEXEC);
        if (fd < 0)
        {
            return [];
        }

        // The kernel makes the whole text at the first read(2), and gives as much as there is room for (seq_read_iter in fs/seq_file.c).
        int length = (int)Kernel.Read(fd, _text);
        Kernel.Close(fd);
        return length < 0 ? [] : length < UsualBytes ? _text.AsSpan(0, length) : ProcFile.ReadAll(_path + "/" + number.ToString(CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        if (_directory >= 0)
        {
            Kernel.Close(_directory);
        }
    }
}

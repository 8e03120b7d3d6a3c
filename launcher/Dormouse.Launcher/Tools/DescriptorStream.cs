using System.Runtime.InteropServices;

namespace Dormouse.Launcher.Tools;

/// <summary>Writes to a descriptor where it stands.</summary>
/// <remarks>FileStream keeps an offset of its own for regular files and uses pwrite(2): two processes that share standard output
/// would overwrite each other.</remarks>
internal sealed unsafe partial class DescriptorStream(int descriptor) : Stream
{
    private const int Interrupted = 4;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            nint count;
            int error;
            fixed (byte* bytes = buffer)
            {
                count = WriteDescriptor(descriptor, bytes, (nuint)buffer.Length);
                error = Marshal.GetLastPInvokeError();
            }

            if (count >= 0) buffer = buffer[(int)count..];
            else if (error != Interrupted) throw new IOException(Marshal.GetPInvokeErrorMessage(error));
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteDescriptor(int descriptor, byte* bytes, nuint count);
}

using Dormouse.Runtime.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Checkpoint;

/// <summary>An image under its temporary name: the program runs again, the bytes are on their way to the disk.</summary>
internal sealed record WrittenImage(
    uint Epoch, int Descriptor, string TemporaryPath, string FinalName, ImageFigures Figures, ulong StandstillMicroseconds, string[] Losses)
{
    /// <summary>Closes the file; the error of syncing or of closing, or 0.</summary>
    public int Close(int syncResult)
    {
        int closed = Kernel.Close(Descriptor);
        return syncResult < 0 ? syncResult : closed;
    }

    public void Discard() => Kernel.Unlink(TemporaryPath);
}

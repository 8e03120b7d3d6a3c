using System.IO.Pipes;

namespace Dormouse.Coordinator.Network;

/// <summary>Wakes the event loop from another thread.</summary>
internal sealed class AnonymousPipe : IDisposable
{
    private readonly AnonymousPipeServerStream _writer = new(PipeDirection.Out, HandleInheritability.None);

    public nint ReadFd => _writer.ClientSafePipeHandle.DangerousGetHandle();

    public void Signal() => _writer.WriteByte(1);

    public void Dispose() => _writer.Dispose();
}

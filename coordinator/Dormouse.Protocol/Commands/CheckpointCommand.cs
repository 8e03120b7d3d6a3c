namespace Dormouse.Protocol;

/// <summary>Command to coordinator: make a checkpoint.</summary>
/// <param name="Directory">Absolute; empty: the coordinator's own setting.</param>
/// <param name="KeepExternal">With KillAfter: TCP connections to peers outside of the computation are to be there after the restart.</param>
/// <remarks>u32 flags (low byte codec, 0x100 kill after, 0x200 keep external TCP) | str directory.
/// Answer, when it is committed: one <see cref="ImageReport"/> each, then <see cref="CheckpointReport"/>; or <see cref="CommandFailed"/>.</remarks>
public readonly record struct CheckpointCommand(ImageCodec Codec, bool KillAfter, string Directory, bool KeepExternal = false) : IMessage<CheckpointCommand>
{
    public static FrameKind Kind => FrameKind.CheckpointCommand;

    public void Write(ref MessageWriter writer)
    {
        CheckpointFlags.Write(ref writer, Codec, KillAfter, KeepExternal);
        writer.WriteString(Directory);
    }

    public static CheckpointCommand Read(ref MessageReader reader)
    {
        (ImageCodec codec, bool killAfter, bool keepExternal) = CheckpointFlags.Read(ref reader);
        return new(codec, killAfter, reader.ReadString(), keepExternal);
    }
}

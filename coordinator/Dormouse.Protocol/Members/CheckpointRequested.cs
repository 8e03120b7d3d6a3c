namespace Dormouse.Protocol;

/// <summary>How memory is stored in an image.</summary>
public enum ImageCodec : byte
{
    Raw = 0,
    Lz4 = 1,
    Zstd = 2,
}

/// <summary>Coordinator to member: a checkpoint begins; stop your threads.</summary>
/// <param name="Directory">Absolute; where the image goes.</param>
/// <param name="KillAfter">Once the checkpoint is committed the process ends.</param>
/// <param name="DeadlineSeconds">Give up suspending after so long and send <see cref="CheckpointFailed"/> saying who did not stop.</param>
/// <param name="KeepExternal">TCP connections to peers outside of the computation are to be there after the restart; only with KillAfter.</param>
/// <remarks>u32 epoch | u32 generation | str directory | u32 flags (low byte codec, 0x100 kill after, 0x200 keep external TCP) | u16 deadline.
/// Answer: <see cref="Suspended"/>.</remarks>
public readonly record struct CheckpointRequested(
    uint Epoch, uint Generation, string Directory, ImageCodec Codec, bool KillAfter, ushort DeadlineSeconds, bool KeepExternal = false) : IMessage<CheckpointRequested>
{
    public static FrameKind Kind => FrameKind.CheckpointRequested;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteUInt32(Generation);
        writer.WriteString(Directory);
        CheckpointFlags.Write(ref writer, Codec, KillAfter, KeepExternal);
        writer.WriteUInt16(DeadlineSeconds);
    }

    public static CheckpointRequested Read(ref MessageReader reader)
    {
        uint epoch = reader.ReadUInt32();
        uint generation = reader.ReadUInt32();
        string directory = reader.ReadString();
        (ImageCodec codec, bool killAfter, bool keepExternal) = CheckpointFlags.Read(ref reader);
        return new(epoch, generation, directory, codec, killAfter, reader.ReadUInt16(), keepExternal);
    }
}

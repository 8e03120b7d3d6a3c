namespace Dormouse.Protocol;

/// <summary>u32: low byte codec, 0x100 kill after the checkpoint, 0x200 keep TCP connections to the outside for the restart.</summary>
internal static class CheckpointFlags
{
    private const uint KillAfterBit = 0x100, KeepExternalBit = 0x200;

    public static void Write(ref MessageWriter writer, ImageCodec codec, bool killAfter, bool keepExternal)
        => writer.WriteUInt32((uint)codec | (killAfter ? KillAfterBit : 0) | (keepExternal ? KeepExternalBit : 0));

    public static (ImageCodec Codec, bool KillAfter, bool KeepExternal) Read(ref MessageReader reader)
    {
        uint flags = reader.ReadUInt32();
        bool killAfter = (flags & KillAfterBit) != 0, keepExternal = (flags & KeepExternalBit) != 0;
        if ((flags & 0xff) > (uint)ImageCodec.Zstd || (flags & ~(0xff | KillAfterBit | KeepExternalBit)) != 0 || (keepExternal && !killAfter))
            throw new ProtocolException("A message asks for a checkpoint with unknown flags.");
        return ((ImageCodec)(flags & 0xff), killAfter, keepExternal);
    }
}

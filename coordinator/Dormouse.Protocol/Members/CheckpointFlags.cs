namespace Dormouse.Protocol;

/// <summary>u32: low byte codec, 0x100 kill after the checkpoint.</summary>
internal static class CheckpointFlags
{
    private const uint KillAfterBit = 0x100;

    public static void Write(ref MessageWriter writer, ImageCodec codec, bool killAfter)
        => writer.WriteUInt32((uint)codec | (killAfter ? KillAfterBit : 0));

    public static (ImageCodec Codec, bool KillAfter) Read(ref MessageReader reader)
    {
        uint flags = reader.ReadUInt32();
        if ((flags & 0xff) > (uint)ImageCodec.Zstd || (flags & ~(0xff | KillAfterBit)) != 0)
            throw new ProtocolException("A message asks for a checkpoint with unknown flags.");
        return ((ImageCodec)(flags & 0xff), (flags & KillAfterBit) != 0);
    }
}

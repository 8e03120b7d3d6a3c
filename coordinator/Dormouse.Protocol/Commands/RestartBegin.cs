namespace Dormouse.Protocol;

/// <summary>dmrestart to coordinator: so many processes of this computation are about to wake. The connection stays open until the
/// restart is done; when it is lost before, the restart is abandoned and its members exit.</summary>
/// <param name="ImageCount">Of the whole generation.</param>
/// <param name="IsPart">This dmrestart wakes only some of them: it joins a restart of the same generation that has begun, or begins
/// one that others will join. All of them hear how it ends.</param>
/// <param name="OnlyJoins">A part that never begins one: where none is under way, it has failed already.</param>
/// <param name="Session">A random number of this restart, for the logs of all who take part.</param>
/// <remarks>u64 computation | u32 generation | u64 session | u32 imageCount | u8 isPart (2: only joins).
/// Answer: <see cref="RestartAccepted"/> or <see cref="CommandFailed"/>; then <see cref="RestartProgress"/> any number of times; then
/// <see cref="RestartDone"/> or <see cref="CommandFailed"/>.</remarks>
public readonly record struct RestartBegin(ulong Computation, uint Generation, ulong Session, uint ImageCount, bool IsPart = false, bool OnlyJoins = false)
    : IMessage<RestartBegin>
{
    private const byte OnlyJoining = 2;

    public static FrameKind Kind => FrameKind.RestartBegin;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt64(Computation);
        writer.WriteUInt32(Generation);
        writer.WriteUInt64(Session);
        writer.WriteUInt32(ImageCount);
        writer.WriteByte(OnlyJoins ? OnlyJoining : IsPart ? (byte)1 : (byte)0);
    }

    public static RestartBegin Read(ref MessageReader reader)
    {
        RestartBegin whole = new(reader.ReadUInt64(), reader.ReadUInt32(), reader.ReadUInt64(), reader.ReadUInt32());
        byte part = reader.ReadByte();
        return whole with { IsPart = part != 0, OnlyJoins = part == OnlyJoining };
    }
}

namespace Dormouse.Protocol;

/// <summary>Member to coordinator: I may not create my image; please give me the file, open for reading and writing.</summary>
/// <param name="Path">Absolute, its temporary name in the checkpoint directory.</param>
/// <param name="Channel">The datagram socket that the descriptor goes to: "dormouse-image-" and its 16 hex digits, abstract, unix(7).</param>
/// <remarks>u32 epoch | str path | u64 channel. Answer: <see cref="ImageFileSent"/>.</remarks>
public readonly record struct ImageFileWanted(uint Epoch, string Path, ulong Channel) : IMessage<ImageFileWanted>
{
    public static FrameKind Kind => FrameKind.ImageFileWanted;

    /// <summary>The name of the socket, without the zero byte that makes it abstract.</summary>
    public string ChannelName => "dormouse-image-" + Channel.ToString("x16");

    public void Write(ref MessageWriter writer)
    {
        writer.WriteUInt32(Epoch);
        writer.WriteString(Path);
        writer.WriteUInt64(Channel);
    }

    public static ImageFileWanted Read(ref MessageReader reader) => new(reader.ReadUInt32(), reader.ReadString(), reader.ReadUInt64());
}

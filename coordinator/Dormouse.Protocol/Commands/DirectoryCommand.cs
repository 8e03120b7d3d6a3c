namespace Dormouse.Protocol;

/// <summary>Command to coordinator: images go here from now on.</summary>
/// <remarks>str directory, absolute. Answer: <see cref="CommandDone"/> or <see cref="CommandFailed"/>.</remarks>
public readonly record struct DirectoryCommand(string Directory) : IMessage<DirectoryCommand>
{
    public static FrameKind Kind => FrameKind.DirectoryCommand;

    public void Write(ref MessageWriter writer) => writer.WriteString(Directory);

    public static DirectoryCommand Read(ref MessageReader reader) => new(reader.ReadString());
}

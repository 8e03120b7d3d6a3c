namespace Dormouse.Protocol;

/// <summary>Why a command failed, for its exit code.</summary>
public enum FailureKind : byte
{
    /// <summary>It was tried and did not work.</summary>
    Failed = 1,

    /// <summary>There is no member.</summary>
    NothingAttached = 2,

    /// <summary>Something else is under way.</summary>
    Busy = 3,
}

/// <summary>Coordinator to command: no.</summary>
/// <remarks>u8 failure | str reason, one sentence.</remarks>
public readonly record struct CommandFailed(FailureKind Failure, string Reason) : IMessage<CommandFailed>
{
    public static FrameKind Kind => FrameKind.CommandFailed;

    public void Write(ref MessageWriter writer)
    {
        writer.WriteByte((byte)Failure);
        writer.WriteString(Reason);
    }

    public static CommandFailed Read(ref MessageReader reader) => new((FailureKind)reader.ReadByte(), reader.ReadString());
}

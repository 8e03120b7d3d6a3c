namespace Dormouse.Protocol;

/// <summary>Puts messages into frames and takes them out: u32 payload bytes | u16 kind | payload.</summary>
public static class Frame
{
    public const int HeaderBytes = 6;

    /// <summary>Longest payload of most kinds.</summary>
    public const int MaximumPayloadBytes = 1 << 20;

    /// <summary>Longest payload of those kinds that grow with the number of descriptors.</summary>
    public const int MaximumInventoryBytes = 64 << 20;

    /// <summary>Longest payload before a peer has proved that it knows the token.</summary>
    public const int MaximumHandshakeBytes = 1024;

    /// <summary>Appends one framed message.</summary>
    public static void Append<T>(ref MessageWriter writer, in T message)
        where T : struct, IMessage<T>
    {
        int start = writer.Length;
        writer.WriteUInt32(0);
        writer.WriteUInt16((ushort)T.Kind);
        message.Write(ref writer);
        writer.PatchUInt32(start, (uint)(writer.Length - start - HeaderBytes));
    }

    /// <summary>Reads a whole payload as <typeparamref name="T"/>.</summary>
    /// <exception cref="ProtocolException">The payload does not have exactly the fields of <typeparamref name="T"/>.</exception>
    public static T Read<T>(ReadOnlySpan<byte> payload)
        where T : struct, IMessage<T>
    {
        MessageReader reader = new(payload);
        T message = T.Read(ref reader);
        reader.ExpectEnd();
        return message;
    }

    /// <summary>Longest payload that a frame of this kind may have.</summary>
    public static int MaximumBytes(FrameKind kind)
        => kind is FrameKind.Inventory or FrameKind.Candidates or FrameKind.Announced or FrameKind.ProbeEnds or FrameKind.EndReports or FrameKind.NamedEnds
            ? MaximumInventoryBytes : MaximumPayloadBytes;
}

namespace Dormouse.Protocol;

/// <summary>The numbers both ends must agree on before anything else.</summary>
public static class ProtocolVersion
{
    /// <summary>"DMSE", first byte first.</summary>
    public const uint Magic = 0x4553_4D44;

    /// <summary>Raised whenever the layout or the meaning of a message changes; there is no negotiation.</summary>
    public const ushort Current = 1;

    public const int DefaultPort = 7779;
}

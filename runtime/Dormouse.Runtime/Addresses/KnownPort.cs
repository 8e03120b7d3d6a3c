// World: restored process.
using System.Globalization;
using Dormouse.Runtime.Descriptors;

namespace Dormouse.Runtime.Addresses;

/// <summary>A port that a program of one host has bound, and what it is now; :: for all addresses of the host.</summary>
/// <param name="Host">Number of the host that the program shows.</param>
/// <remarks>u32 host, u16 protocol, u16 shown port, u16 port now, 16 bytes shown address, 16 bytes address now.</remarks>
internal readonly record struct KnownPort(uint Host, ushort Protocol, InternetAddress Shown, ushort ShownPort, InternetAddress Now, ushort NowPort)
{
    public ResourceKey Key => new(
        ObjectKeys.Hash("port"), ObjectKeys.Hash(string.Create(CultureInfo.InvariantCulture, $"{Host} {Protocol} {ShownPort} {Shown.High:x} {Shown.Low:x}")));

    /// <summary>Whether the kernel would not let both have it.</summary>
    public bool Excludes(KnownPort other)
        => Protocol == other.Protocol && ShownPort == other.ShownPort && (Now.Covers(other.Now) || other.Now.Covers(Now));

    public byte[] ToBytes()
    {
        var writer = new MessageWriter(48);
        writer.WriteUInt32(Host);
        writer.WriteUInt16(Protocol);
        writer.WriteUInt16(ShownPort);
        writer.WriteUInt16(NowPort);
        writer.WriteBytes(Shown.ToBytes());
        writer.WriteBytes(Now.ToBytes());
        return writer.Written.ToArray();
    }

    public static KnownPort Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new MessageReader(bytes);
        uint host = reader.ReadUInt32();
        ushort protocol = reader.ReadUInt16(), shownPort = reader.ReadUInt16(), nowPort = reader.ReadUInt16();
        InternetAddress shown = InternetAddress.Read(reader.ReadBytes(InternetAddress.Bytes));
        return new KnownPort(host, protocol, shown, shownPort, InternetAddress.Read(reader.ReadBytes(InternetAddress.Bytes)), nowPort);
    }
}

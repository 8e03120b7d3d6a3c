// World: restored process.
using System.Globalization;
using Dormouse.Runtime.Coordination;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Process;
using Dormouse.Runtime.Sockets;

namespace Dormouse.Runtime.Addresses;

/// <summary>What a member announces at a restart: the host that its program shows, and the one that it woke on.</summary>
/// <remarks>
/// str id, u8 names (str), u16 addresses (16 bytes) | str id of the place, str its name, u16 addresses (16 bytes, u8 prefix, u32 interface),
/// 16 bytes: its end of the connection to the coordinator, 16 bytes: the coordinator's, u16 first and last port that the kernel chooses there.
/// </remarks>
internal sealed record HostReport(
    ShownHost Shown, string PlaceId, string PlaceName, InterfaceAddress[] Place, InternetAddress Here, InternetAddress Coordinator, ushort FirstPort, ushort LastPort)
{
    /// <summary>The same for all members that show one host, live on one host, and find the same there: one of them may bring an address
    /// while others have looked already.</summary>
    public ResourceKey Key => new(ObjectKeys.Hash("host"), ObjectKeys.Hash(Convert.ToHexString(ToBytes())));

    /// <summary>In this order hosts are numbered, by everybody.</summary>
    public string Order => Shown.Id + " " + PlaceId;

    /// <summary>Whether the program would notice that it is elsewhere.</summary>
    public bool HasMoved
    {
        get
        {
            foreach (InternetAddress address in Shown.Addresses)
            {
                if (!Array.Exists(Place, one => one.Address == address))
                {
                    return true;
                }
            }

            return Shown.Names[0] != PlaceName;
        }
    }

    public static HostReport Of(ShownHost shown, Link link)
    {
        string[] range = ProcFile.ReadText("/proc/sys/net/ipv4/ip_local_port_range").Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return new HostReport(
            shown, HostIdentity.Network, HostIdentity.Name, InterfaceAddress.ReadAll().ToArray(),
            InternetAddress.Of(SocketCalls.LocalAddress(link.Descriptor)), InternetAddress.Of(SocketCalls.PeerAddress(link.Descriptor)),
            Port(range, 0), Port(range, 1));
    }

    /// <summary>Of one host; what either has found is there.</summary>
    public HostReport With(HostReport other)
    {
        var place = new List<InterfaceAddress>(Place);
        foreach (InterfaceAddress one in other.Place)
        {
            if (!place.Exists(known => known.Address == one.Address))
            {
                place.Add(one);
            }
        }

        return this with { Place = place.ToArray() };
    }

    public byte[] ToBytes()
    {
        var writer = new MessageWriter(512);
        writer.WriteString(Shown.Id);
        writer.WriteByte((byte)Shown.Names.Length);
        foreach (string name in Shown.Names)
        {
            writer.WriteString(name);
        }

        writer.WriteUInt16((ushort)Shown.Addresses.Length);
        foreach (InternetAddress address in Shown.Addresses)
        {
            writer.WriteBytes(address.ToBytes());
        }

        writer.WriteString(PlaceId);
        writer.WriteString(PlaceName);
        writer.WriteUInt16((ushort)Place.Length);
        foreach (InterfaceAddress one in Place)
        {
            writer.WriteBytes(one.Address.ToBytes());
            writer.WriteByte((byte)one.Prefix);
            writer.WriteInt32(one.Interface);
        }

        writer.WriteBytes(Here.ToBytes());
        writer.WriteBytes(Coordinator.ToBytes());
        writer.WriteUInt16(FirstPort);
        writer.WriteUInt16(LastPort);
        return writer.Written.ToArray();
    }

    public static HostReport Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new MessageReader(bytes);
        string id = reader.ReadString();
        string[] names = new string[reader.ReadByte()];
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = reader.ReadString();
        }

        InternetAddress[] addresses = new InternetAddress[reader.ReadUInt16()];
        for (int i = 0; i < addresses.Length; i++)
        {
            addresses[i] = Address(ref reader);
        }

        string placeId = reader.ReadString(), placeName = reader.ReadString();
        InterfaceAddress[] place = new InterfaceAddress[reader.ReadUInt16()];
        for (int i = 0; i < place.Length; i++)
        {
            place[i] = new InterfaceAddress(Address(ref reader), reader.ReadByte(), reader.ReadInt32());
        }

        return new HostReport(
            new ShownHost(id, names, addresses), placeId, placeName, place, Address(ref reader), Address(ref reader), reader.ReadUInt16(), reader.ReadUInt16());
    }

    private static InternetAddress Address(ref MessageReader reader) => InternetAddress.Read(reader.ReadBytes(InternetAddress.Bytes));

    private static ushort Port(string[] range, int index)
        => range.Length == 2 && ushort.TryParse(range[index], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) ? port : (ushort)0;
}

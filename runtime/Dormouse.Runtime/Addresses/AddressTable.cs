// World: Frozen (read), restored process.
using System.Runtime.InteropServices;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Sockets;

namespace Dormouse.Runtime.Addresses;

/// <summary>What the wrappers of native-shim look things up in: struct dm_address_table of native-shim/src/old_addresses.h, and its arrays.</summary>
internal static unsafe class AddressTable
{
    /// <summary>Room for a name with its NUL.</summary>
    public const int NameBytes = 92;

    private const int HeaderBytes = 232, AddressBytes = 40, NameEntryBytes = 96;
    private const int OwnHostOffset = 4, CountsOffset = 8, OwnNameOffset = 32, OwnNameBytes = 72, OwnIdOffset = 104, OwnIdBytes = 128;
    private const int LongestEntry = 128 * 1024; // MAX_ARG_STRLEN, execve(2)
    private const string Variable = "DORMOUSE_ADDRESSES=";

    /// <summary>The table for hosts that have moved, or null for hosts that are where they were.</summary>
    public static byte[] Build(KnownHosts? hosts, IReadOnlyCollection<KnownPort> ports, ReadOnlySpan<ShownName> sockets)
    {
        List<KnownAddress> addresses = hosts?.Addresses() ?? [];
        List<PortRange> ranges = hosts?.Ranges() ?? [];
        List<KnownName> names = hosts?.Names() ?? [];
        var writer = new MessageWriter(1024);
        writer.WriteUInt32(0);
        writer.WriteUInt32(hosts?.Own ?? 0);
        foreach (int count in (ReadOnlySpan<int>)[addresses.Count, ports.Count, ranges.Count, names.Count, sockets.Length, 0])
        {
            writer.WriteInt32(count);
        }

        HostReport? own = hosts?.OwnReport;
        WriteText(ref writer, own is null || own.Shown.Names[0] == own.PlaceName ? "" : own.Shown.Names[0], OwnNameBytes);
        WriteText(ref writer, hosts is { HasOwnMoved: true } ? own!.Shown.Id : "", OwnIdBytes);
        foreach (KnownAddress address in addresses)
        {
            writer.WriteBytes(address.Shown.ToBytes());
            writer.WriteBytes(address.Now.ToBytes());
            writer.WriteUInt32(address.Host);
            writer.WriteUInt32(address.IsToShown ? 1u : 0);
        }

        foreach (KnownPort port in ports)
        {
            writer.WriteBytes(port.Shown.ToBytes());
            writer.WriteBytes(port.Now.ToBytes());
            writer.WriteUInt32(port.Host);
            foreach (ushort number in (ReadOnlySpan<ushort>)[port.ShownPort, port.NowPort, port.Protocol, 0, 0, 0])
            {
                writer.WriteUInt16(number);
            }
        }

        foreach (PortRange range in ranges)
        {
            writer.WriteUInt32(range.Host);
            writer.WriteUInt16(range.First);
            writer.WriteUInt16(range.Last);
        }

        foreach (KnownName name in names)
        {
            writer.WriteUInt32(name.Host);
            WriteText(ref writer, name.Name, NameBytes);
        }

        writer.WriteBytes(MemoryMarshal.AsBytes(sockets));
        writer.PatchUInt32(0, (uint)writer.Length);
        return writer.Written.ToArray();
    }

    /// <summary>From now on it counts. It stays where it is for ever: a thread may be reading it at any time.</summary>
    /// <param name="table">Null: everything is as the kernel says.</param>
    /// <param name="inherited">What programs that are executed later get; null: the same.</param>
    public static void Set(byte[]? table, byte[]? inherited = null)
    {
        if (table is null)
        {
            Shim.SetAddresses(null, null);
            return;
        }

        byte[] entry = KernelText.ToBytes(Variable + Convert.ToHexStringLower(inherited ?? table) + "\0");
        Shim.SetAddresses(Keep(table), entry.Length > LongestEntry ? null : Keep(entry));
    }

    /// <summary>The own host in the table that counts; null when it has not moved.</summary>
    public static ShownHost? ReadOwnHost()
    {
        byte* at = Shim.Addresses();
        if (at == null)
        {
            return null;
        }

        var table = new ReadOnlySpan<byte>(at, *(int*)at);
        string id = ReadText(table.Slice(OwnIdOffset, OwnIdBytes));
        if (id.Length == 0)
        {
            return null;
        }

        uint own = BitConverter.ToUInt32(table[OwnHostOffset..]);
        var addresses = new List<InternetAddress>();
        ReadOnlySpan<byte> rest = table[HeaderBytes..];
        for (int left = Count(table, 0); left > 0; left--, rest = rest[AddressBytes..])
        {
            if (BitConverter.ToUInt32(rest[32..]) == own && BitConverter.ToUInt32(rest[36..]) == 0)
            {
                addresses.Add(InternetAddress.Read(rest));
            }
        }

        string ownName = ReadText(table.Slice(OwnNameOffset, OwnNameBytes));
        var names = new List<string> { ownName.Length > 0 ? ownName : Process.HostIdentity.Name };
        rest = rest[((Count(table, 1) * 48) + (Count(table, 2) * 8))..];
        for (int left = Count(table, 3); left > 0; left--, rest = rest[NameEntryBytes..])
        {
            string name = ReadText(rest.Slice(4, NameBytes));
            if (BitConverter.ToUInt32(rest) == own && !names.Contains(name))
            {
                names.Add(name);
            }
        }

        return new ShownHost(id, names.ToArray(), addresses.ToArray());
    }

    private static int Count(ReadOnlySpan<byte> table, int index) => BitConverter.ToInt32(table[(CountsOffset + (index * sizeof(int)))..]);

    private static void WriteText(ref MessageWriter writer, string text, int bytes)
    {
        Span<byte> room = stackalloc byte[OwnIdBytes];
        room.Clear();
        byte[] encoded = KernelText.ToBytes(text);
        encoded.AsSpan(0, Math.Min(encoded.Length, bytes - 1)).CopyTo(room);
        writer.WriteBytes(room[..bytes]);
    }

    private static string ReadText(ReadOnlySpan<byte> room) => KernelText.FromBytes(room[..room.IndexOf((byte)0)]);

    private static byte* Keep(byte[] bytes)
    {
        byte* kept = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
        bytes.CopyTo(new Span<byte>(kept, bytes.Length));
        return kept;
    }
}

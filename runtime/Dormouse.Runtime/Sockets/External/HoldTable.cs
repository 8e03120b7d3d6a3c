// World: Frozen, restored process. Numbers: include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h.
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>
/// The messages that make a table of nf_tables which drops the packets of some connections. As nft(8) would write it, for IPv4:
/// <code>
/// table inet NAME {
///   set held4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; timeout 1d; elements = { … } }
///   chain in  { type filter hook input priority -400;  ip daddr . tcp dport . ip saddr . tcp sport @held4 drop }
///   chain out { type filter hook output priority -400; ip saddr . tcp sport . ip daddr . tcp dport @held4 drop }
/// }
/// </code>
/// </summary>
internal static class HoldTable
{
    public const int GetTable = 1, GetElements = 13;
    private const int NewTable = 0, DeleteTable = 2, NewChain = 3, NewRule = 6, NewSet = 9, NewElement = 12;
    private const int BatchBegin = 16, BatchEnd = 17, Subsystem = 10;
    private const byte Inet = 1, V4 = 2, V6 = 10, Tcp = 6;
    private const int LocalIn = 1, LocalOut = 3;
    private const int Name1 = 1, Value = 1, Element = 1;

    /// <summary>In place of an earlier one of this name; all or nothing.</summary>
    /// <param name="timeoutMilliseconds">After which a connection is let go; 0: never.</param>
    public static NetlinkMessages Make(string name, uint flags, ulong timeoutMilliseconds, List<ConnectionEnds> connections)
    {
        NetlinkMessages messages = Begin(name);
        Message(messages, NewTable, NetlinkMessages.Create, name);
        messages.AddBig(2 /* NFTA_TABLE_FLAGS */, flags);
        AddChain(messages, name, "in", LocalIn);
        AddChain(messages, name, "out", LocalOut);
        foreach (bool isV4 in (ReadOnlySpan<bool>)[true, false])
        {
            List<ConnectionEnds> ofFamily = connections.FindAll(one => one.IsV4 == isV4);
            if (ofFamily.Count > 0)
            {
                AddSet(messages, name, isV4, timeoutMilliseconds);
                AddElements(messages, name, isV4, ofFamily);
                AddRule(messages, name, "in", isV4, isIncoming: true);
                AddRule(messages, name, "out", isV4, isIncoming: false);
            }
        }

        return End(messages);
    }

    public static NetlinkMessages Remove(string name) => End(Begin(name));

    // An order to remove what is not there fails, one to make what is there does not.
    private static NetlinkMessages Begin(string name)
    {
        var messages = new NetlinkMessages();
        messages.Begin(BatchBegin, 0, [0, 0, 0, Subsystem]);
        Message(messages, NewTable, NetlinkMessages.Create, name);
        Message(messages, DeleteTable, 0, name);
        return messages;
    }

    private static NetlinkMessages End(NetlinkMessages messages)
    {
        messages.Begin(BatchEnd, 0, [0, 0, 0, Subsystem]);
        return messages;
    }

    // struct nfgenmsg: u8 family, u8 version, be16 resource. The first attribute of all of them is the table's name.
    private static void Message(NetlinkMessages messages, int kind, int flags, string table)
    {
        messages.Begin((Subsystem << 8) | kind, flags, [Inet, 0, 0, 0]);
        messages.Add(Name1, table);
    }

    /// <summary>A question to nf_tables; what it is about may follow.</summary>
    public static NetlinkMessages Question(int kind, int flags)
    {
        var messages = new NetlinkMessages();
        messages.Begin((Subsystem << 8) | kind, flags, [Inet, 0, 0, 0]);
        return messages;
    }

    public static string SetOf(bool isV4) => isV4 ? "held4" : "held6";

    private static void AddChain(NetlinkMessages messages, string table, string chain, uint hook)
    {
        const int Name = 3, Hook = 4, Type = 7, HookNumber = 1, HookPriority = 2;
        const int BeforeAllOthers = -400;
        Message(messages, NewChain, NetlinkMessages.Create, table);
        messages.Add(Name, chain);
        int opened = messages.Open(Hook);
        messages.AddBig(HookNumber, hook);
        messages.AddBig(HookPriority, unchecked((uint)BeforeAllOthers));
        messages.Close(opened);
        messages.Add(Type, "filter");
    }

    private static void AddSet(NetlinkMessages messages, string table, bool isV4, ulong timeoutMilliseconds)
    {
        const int Name = 2, Flags = 3, KeyType = 4, KeyLength = 5, Id = 10, Timeout = 11;
        const uint HasTimeout = 0x10;
        // Four types of 6 bits each, for nft(8) to print: ipv4_addr 7, ipv6_addr 8, inet_service 13 (nftables, include/datatype.h).
        uint address = isV4 ? 7u : 8u, end = (address << 6) | 13;
        Message(messages, NewSet, NetlinkMessages.Create, table);
        messages.Add(Name, SetOf(isV4));
        messages.AddBig(Flags, timeoutMilliseconds > 0 ? HasTimeout : 0);
        messages.AddBig(KeyType, (end << 12) | end);
        messages.AddBig(KeyLength, isV4 ? 16u : 40u);
        messages.AddBig(Id, isV4 ? 1u : 2u);
        if (timeoutMilliseconds > 0)
        {
            messages.AddBig(Timeout, timeoutMilliseconds);
        }
    }

    // Each part of a key begins at a multiple of 4 bytes.
    private static void AddElements(NetlinkMessages messages, string table, bool isV4, List<ConnectionEnds> connections)
    {
        const int SetName = 2, Elements = 3, Key = 1;
        const int OfOneMessage = 1000; // the length of an attribute has 16 bits
        for (int first = 0; first < connections.Count; first += OfOneMessage)
        {
            Message(messages, NewElement, NetlinkMessages.Create, table);
            messages.Add(SetName, SetOf(isV4));
            int list = messages.Open(Elements);
            for (int i = first; i < Math.Min(first + OfOneMessage, connections.Count); i++)
            {
                ConnectionEnds one = connections[i];
                int element = messages.Open(Element), key = messages.Open(Key);
                messages.Add(Value, [.. one.LocalHost, .. one.LocalPort, 0, 0, .. one.PeerHost, .. one.PeerPort, 0, 0]);
                messages.Close(key);
                messages.Close(element);
            }

            messages.Close(list);
        }
    }

    private static void AddRule(NetlinkMessages messages, string table, string chain, bool isV4, bool isIncoming)
    {
        const int Chain = 2, Expressions = 4;
        const uint FirstRegister = 8; // NFT_REG32_00; each has 4 bytes
        const uint NetworkHeader = 1, TransportHeader = 2;
        uint hostBytes = isV4 ? 4u : 16u, source = isV4 ? 12u : 8u, target = source + hostBytes;
        uint next = FirstRegister;
        Message(messages, NewRule, NetlinkMessages.Create | NetlinkMessages.Append, table);
        messages.Add(Chain, chain);
        int list = messages.Open(Expressions);
        AddTest(messages, 15 /* NFT_META_NFPROTO */, isV4 ? V4 : V6);
        AddTest(messages, 16 /* NFT_META_L4PROTO */, Tcp);
        foreach (bool isLocal in (ReadOnlySpan<bool>)[true, false])
        {
            bool isTarget = isLocal == isIncoming;
            AddLoad(messages, NetworkHeader, isTarget ? target : source, hostBytes, next);
            next += hostBytes / 4;
            AddLoad(messages, TransportHeader, isTarget ? 2u : 0, 2, next);
            next++;
        }

        AddLookup(messages, isV4, FirstRegister);
        AddDrop(messages);
        messages.Close(list);
    }

    // Goes on when what the kernel says of the packet is this.
    private static void AddTest(NetlinkMessages messages, uint what, byte value)
    {
        const uint Register = 8;
        const int Source = 1, Operation = 2, Data = 3;
        (int element, int data) = OpenExpression(messages, "meta");
        messages.AddBig(1 /* NFTA_META_DREG */, Register);
        messages.AddBig(2 /* NFTA_META_KEY */, what);
        messages.Close(data);
        messages.Close(element);
        (element, data) = OpenExpression(messages, "cmp");
        messages.AddBig(Source, Register);
        messages.AddBig(Operation, 0u /* NFT_CMP_EQ */);
        int nested = messages.Open(Data);
        messages.Add(Value, [value]);
        messages.Close(nested);
        messages.Close(data);
        messages.Close(element);
    }

    private static void AddLoad(NetlinkMessages messages, uint header, uint offset, uint bytes, uint register)
    {
        const int Target = 1, Base = 2, Offset = 3, Length = 4;
        (int element, int data) = OpenExpression(messages, "payload");
        messages.AddBig(Target, register);
        messages.AddBig(Base, header);
        messages.AddBig(Offset, offset);
        messages.AddBig(Length, bytes);
        messages.Close(data);
        messages.Close(element);
    }

    private static void AddLookup(NetlinkMessages messages, bool isV4, uint register)
    {
        const int Set = 1, Source = 2;
        (int element, int data) = OpenExpression(messages, "lookup");
        messages.Add(Set, SetOf(isV4));
        messages.AddBig(Source, register);
        messages.Close(data);
        messages.Close(element);
    }

    private static void AddDrop(NetlinkMessages messages)
    {
        const int Target = 1, Data = 2, Verdict = 2, Code = 1;
        (int element, int data) = OpenExpression(messages, "immediate");
        messages.AddBig(Target, 0u /* NFT_REG_VERDICT */);
        int value = messages.Open(Data), verdict = messages.Open(Verdict);
        messages.AddBig(Code, 0u /* NF_DROP */);
        messages.Close(verdict);
        messages.Close(value);
        messages.Close(data);
        messages.Close(element);
    }

    private static (int Element, int Data) OpenExpression(NetlinkMessages messages, string name)
    {
        const int Data = 2;
        int element = messages.Open(Element);
        messages.Add(Name1, name);
        return (element, messages.Open(Data));
    }
}

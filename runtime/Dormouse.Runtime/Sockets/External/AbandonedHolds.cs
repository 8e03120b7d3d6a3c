// World: Frozen, restored process. include/uapi/linux/netfilter/nf_tables.h.
using System.Text;

namespace Dormouse.Runtime.Sockets.External;

/// <summary>Tables of computations that nobody has woken: when their day is over they hold nothing back, and yet every packet asks them.</summary>
internal static class AbandonedHolds
{
    private const int HeaderBytes = 4, TableName = 1, SetName = 2, Elements = 3;

    /// <summary>Removes the empty ones. (A table and what is in it are made in one step: none is empty because it is new.)</summary>
    public static void Sweep(NetlinkSocket socket, string prefix)
    {
        var names = new List<string>();
        socket.Tell(HoldTable.Question(HoldTable.GetTable, NetlinkMessages.Dump), answer =>
        {
            string name = Encoding.UTF8.GetString(Attribute(answer, TableName)).TrimEnd('\0');
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                names.Add(name);
            }
        });
        foreach (string name in names)
        {
            if (IsEmpty(socket, name, HoldTable.SetOf(isV4: true)) && IsEmpty(socket, name, HoldTable.SetOf(isV4: false)))
            {
                socket.Tell(HoldTable.Remove(name));
            }
        }
    }

    private static bool IsEmpty(NetlinkSocket socket, string table, string set)
    {
        bool isEmpty = true;
        NetlinkMessages question = HoldTable.Question(HoldTable.GetElements, NetlinkMessages.Dump);
        question.Add(TableName, table);
        question.Add(SetName, set);
        socket.Tell(question, answer => isEmpty &= Attribute(answer, Elements).Length == 0);
        return isEmpty;
    }

    private static ReadOnlySpan<byte> Attribute(ReadOnlySpan<byte> message, int wanted)
        => NetlinkAttributes.Find(message[Math.Min(HeaderBytes, message.Length)..], wanted);
}

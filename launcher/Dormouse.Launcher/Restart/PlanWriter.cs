using System.Buffers.Binary;
using Dormouse.Protocol;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart;

/// <summary>Writes a plan in the form of native-shim/restorer/plan.h. A test compares sizes and offsets.</summary>
/// <remarks>
/// Little-endian: header (624 bytes) | pods (24 each) | nodes (104 each) | group ids and thread numbers (u32 each) | strings with NUL.
/// </remarks>
internal sealed class PlanWriter
{
    internal const int HeaderBytes = 624;
    internal const int PodBytes = 24;
    internal const int NodeBytes = 104;
    private const uint Version = 1;
    private const int First = -1;
    private const int TokenBytes = 32;
    private const int TextBytes = 256;

    private readonly List<byte> _strings = [];
    private readonly List<uint> _groups = [];
    private readonly List<(ProcessNode Node, int Pod)> _nodes = [];

    /// <summary>The plan as bytes.</summary>
    public static byte[] Write(RestartPlan plan) => new PlanWriter().WriteAll(plan);

    private byte[] WriteAll(RestartPlan plan)
    {
        for (int pod = 0; pod < plan.Pods.Count; pod++)
        {
            foreach (ProcessNode node in plan.Pods[pod].Tree.Nodes)
            {
                _nodes.Add((node, pod));
            }
        }

        byte[] nodes = WriteNodes();
        int podsAt = HeaderBytes;
        int nodesAt = podsAt + (plan.Pods.Count * PodBytes);
        int groupsAt = nodesAt + nodes.Length;
        int stringsAt = groupsAt + (_groups.Count * sizeof(uint));
        if (_strings.Count == 0)
        {
            _strings.Add(0);
        }

        var bytes = new byte[stringsAt + _strings.Count];
        WriteHeader(new Fields(bytes), plan, bytes.Length, [podsAt, nodesAt, groupsAt, stringsAt]);
        for (int pod = 0; pod < plan.Pods.Count; pod++)
        {
            WritePod(new Fields(bytes.AsSpan(podsAt + (pod * PodBytes))), plan.Pods[pod]);
        }

        nodes.CopyTo(bytes, nodesAt);
        for (int index = 0; index < _groups.Count; index++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(groupsAt + (index * sizeof(uint))), _groups[index]);
        }

        _strings.CopyTo(bytes, stringsAt);
        return bytes;
    }

    private void WriteHeader(Fields fields, RestartPlan plan, int totalBytes, ReadOnlySpan<int> at)
    {
        bool terminal = plan.Pods[0].Tree.UsesTerminal;
        fields.Bytes("DMRPLAN\0"u8);
        fields.UInt32(Version);
        fields.UInt32((uint)totalBytes);
        fields.UInt32((plan.InPod ? 1u : 0) | (plan.InUserNamespace ? 2u : 0) | (terminal ? 4u : 0) | (plan.AcceptChangedFiles ? 8u : 0) | (plan.Quiet ? 16u : 0) | (plan.NamesHost ? 32u : 0) | (plan.CountsNumbers ? 64u : 0));
        fields.UInt32((uint)plan.Pods.Count);
        fields.UInt32((uint)at[0]);
        fields.UInt32((uint)_nodes.Count);
        fields.UInt32((uint)at[1]);
        fields.UInt32((uint)_groups.Count);
        fields.UInt32((uint)at[2]);
        fields.UInt32((uint)_strings.Count);
        fields.UInt32((uint)at[3]);
        fields.Int32(plan.Coordinator.Descriptor);
        fields.Int32(plan.HighDescriptor);
        fields.UInt16(plan.Coordinator.Port);
        fields.UInt16((ushort)FrameKind.RestartDone);
        fields.UInt16((ushort)FrameKind.CommandFailed);
        fields.UInt16(0);
        fields.UInt32((uint)IndexOf(plan.Pods[0].Tree.Roots[0]));
        fields.UInt64(plan.Session);
        fields.Bytes(plan.Coordinator.Token.AsSpan(0, TokenBytes));
        WriteText(ref fields, plan.Coordinator.Address);
        WriteText(ref fields, plan.Library);
    }

    private static void WriteText(ref Fields fields, string text)
    {
        byte[] padded = new byte[TextBytes];
        byte[] bytes = KernelText.ToBytes(text);
        bytes.AsSpan(0, Math.Min(bytes.Length, TextBytes - 1)).CopyTo(padded);
        fields.Bytes(padded);
    }

    private static void WritePod(Fields fields, PodPlan pod)
    {
        fields.UInt32(pod.Tree.KeepsSession ? 1u : 0);
        fields.Int32(pod.Tree.ForegroundGroup);
        fields.Int64(pod.MonotonicNanoseconds);
        fields.Int64(pod.BootTimeNanoseconds);
    }

    private byte[] WriteNodes()
    {
        var bytes = new byte[_nodes.Count * NodeBytes];
        for (int index = 0; index < _nodes.Count; index++)
        {
            WriteNode(new Fields(bytes.AsSpan(index * NodeBytes, NodeBytes)), _nodes[index].Node, _nodes[index].Pod);
        }

        return bytes;
    }

    private void WriteNode(Fields fields, ProcessNode node, int pod)
    {
        ImageManifest? manifest = node.Manifest;
        fields.Int32(node.Pid);
        fields.Int32(node.ParentPid);
        fields.Int32(node.Group);
        fields.Int32(node.Session);
        fields.UInt32((uint)node.Kind);
        fields.UInt32((uint)node.Flags);
        fields.Int32(pod);
        fields.Int32(node.Creator is null ? First : IndexOf(node.Creator));
        fields.Int32(node.WaitStatus);
        fields.Int32(node.SpareTid);
        fields.UInt32(Text(node.Program));
        fields.UInt32(Text(node.ImagePath));
        fields.UInt64(manifest?.Computation ?? 0);
        fields.UInt32(manifest?.Generation ?? 0);
        fields.UInt32(manifest?.Member ?? 0);
        fields.UInt32(manifest?.Uid ?? 0);
        fields.UInt32(manifest?.Gid ?? 0);
        fields.UInt32((uint)_groups.Count);
        fields.UInt32((uint)(manifest?.Groups.Length ?? 0));
        _groups.AddRange(manifest?.Groups ?? []);
        fields.Int32(manifest?.Nice ?? 0);
        fields.UInt32((uint)node.Readers);
        int[] threads = [.. (manifest?.Threads ?? []).Where(thread => thread != node.Pid)];
        fields.UInt32((uint)_groups.Count);
        fields.UInt32((uint)threads.Length);
        _groups.AddRange(threads.Select(thread => (uint)thread));
        fields.UInt32(Text(manifest?.ExePath ?? ""));
        fields.UInt32(0);
    }

    private int IndexOf(ProcessNode node) => _nodes.FindIndex(entry => entry.Node == node);

    private uint Text(string text)
    {
        var offset = (uint)_strings.Count;
        _strings.AddRange(KernelText.ToBytes(text));
        _strings.Add(0);
        return offset;
    }

    /// <summary>Writes one field after the other.</summary>
    private ref struct Fields(Span<byte> rest)
    {
        private Span<byte> _rest = rest;

        public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(sizeof(ushort)), value);

        public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(sizeof(uint)), value);

        public void Int32(int value) => UInt32((uint)value);

        public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(sizeof(ulong)), value);

        public void Int64(long value) => UInt64((ulong)value);

        public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

        private Span<byte> Take(int count)
        {
            Span<byte> taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }
    }
}

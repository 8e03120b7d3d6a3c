namespace Dormouse.Launcher.Restart;

/// <summary>Process ids that nobody in the plan has, for processes and threads that live only while the tree is made.</summary>
/// <remarks>
/// Without them the kernel would choose, perhaps a number that a process needs which is made a moment later.
/// </remarks>
internal static class SpareNumbers
{
    private const int Lowest = 300;

    /// <summary>Gives every process that needs some a run of free numbers.</summary>
    public static void Assign(IReadOnlyList<ProcessNode> nodes, Func<int, bool> isFree, int highest)
    {
        HashSet<int> taken = Taken(nodes);
        int next = Lowest;
        foreach (ProcessNode node in nodes)
        {
            int count = node.Readers > 1 || node.Has(NodeFlags.ViaIntermediate) ? node.Readers : 0;
            if (count == 0)
            {
                continue;
            }

            node.SpareTid = FindRun(ref next, count, highest, number => !taken.Contains(number) && isFree(number));
        }
    }

    private static int FindRun(ref int next, int count, int highest, Func<int, bool> isFree)
    {
        for (int length = 0; next < highest;)
        {
            length = isFree(next++) ? length + 1 : 0;
            if (length == count)
            {
                return next - count;
            }
        }

        throw new RestartException("No process ids are left: raise kernel.pid_max.");
    }

    private static HashSet<int> Taken(IReadOnlyList<ProcessNode> nodes)
    {
        HashSet<int> taken = [];
        foreach (ProcessNode node in nodes)
        {
            taken.Add(node.Pid);
            taken.Add(node.ParentPid);
            taken.Add(node.Group);
            taken.Add(node.Session);
            taken.UnionWith(node.Manifest?.Threads ?? []);
        }

        return taken;
    }
}

// World: Frozen (read, announce, resolve, capture), restored process (restore).
using System;
using Dormouse.Runtime.Descriptors;

namespace Dormouse.Runtime.SystemV;

/// <summary>
/// The System V objects of the computation that no mapping shows: of /proc/sysvipc, those that <see cref="SystemVClaim"/> finds to be
/// ours. Of the members that claim one, the lowest saves it.
/// </summary>
internal sealed class SystemVObjects
{
    private const uint InventoryKind = 3;
    private readonly List<SystemVObject> _objects = [];

    public static SystemVObjects Read()
    {
        var objects = new SystemVObjects();
        var claims = new SystemVClaim();
        objects.Add("sem", fields => SemaphoreSet.Parse(fields, claims));
        objects.Add("msg", fields => MessageQueue.Parse(fields, claims));
        objects.Add("shm", fields => LooseSegment.Parse(fields, claims));
        return objects;
    }

    public void Announce(List<InventoryItem> items)
    {
        foreach (SystemVObject item in _objects)
        {
            items.Add(new InventoryItem(item.Key, default, InventoryKind, 0, (ulong)item.Claim));
        }
    }

    public void Resolve(uint self, CandidateTable candidates)
    {
        foreach (SystemVObject item in _objects)
        {
            foreach (Candidate other in candidates.WithKey(item.Key))
            {
                var claim = (Claim)other.Item.Auxiliary;
                item.Claim = claim > item.Claim ? claim : item.Claim;
                item.IsOwnedHere &= self < other.Member;
            }
        }
    }

    public void Capture()
    {
        foreach (SystemVObject item in _objects)
        {
            if (item.IsOwnedHere)
            {
                item.Capture();
            }
        }
    }

    /// <exception cref="CheckpointException">Key or id of an object are taken.</exception>
    public void Restore()
    {
        foreach (SystemVObject item in _objects)
        {
            if (item.IsOwnedHere)
            {
                item.Restore();
            }
        }
    }

    private void Add(string kind, Func<long[], SystemVObject?> parse)
    {
        foreach (long[] fields in SystemVTable.Read(kind))
        {
            if (parse(fields) is { } item)
            {
                _objects.Add(item);
            }
        }
    }
}

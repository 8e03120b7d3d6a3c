// World: Frozen (detect, announce, capture), restored process (reopen, finish).
using System.Collections.Generic;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>
/// One open file description: what one or more descriptors, of one or more processes, refer to (open(2), NOTES).
/// One subclass for each kind of resource, with the same verbs in the same order.
/// </summary>
/// <remarks>
/// Of all members that hold a description, one is its <see cref="Creator"/>: it captures the contents at the checkpoint, makes the
/// description again at the restart and gives it to the others (<see cref="DescriptorExchange"/>).
/// </remarks>
internal abstract class OpenFile(DescriptorInfo info)
{
    /// <summary>As the kernel showed its first descriptor.</summary>
    public DescriptorInfo Info { get; } = info;

    /// <summary>This process's descriptors of it, with FD_CLOEXEC; ascending.</summary>
    public List<(int Fd, bool CloseOnExec)> Descriptors { get; } = [(info.Fd, info.CloseOnExec)];

    /// <summary>Only unread messages of a socket refer to it (SCM_RIGHTS): the one descriptor above is ours, for as long as we need it.</summary>
    public bool IsCarried { get; set; }

    /// <summary>Another description of this process with the same key.</summary>
    public OpenFile? Alike { get; set; }

    /// <summary>One word for people: file, pipe, eventfd …</summary>
    public abstract string Kind { get; }

    /// <summary>What it is connected to, for people.</summary>
    public virtual string Description => Info.Link;

    /// <summary>The same in all processes that may share this description, and different for different objects as far as stat can tell.</summary>
    public abstract ResourceKey Key { get; }

    /// <summary>The other end, when the kernel has one object for each end.</summary>
    public virtual ResourceKey Peer => default;

    /// <summary>Hands descriptors that lie in it unread to <paramref name="adopt"/>, which finds or makes their descriptions.</summary>
    public virtual void AdoptCarried(Func<int, OpenFile> adopt)
    {
    }

    /// <summary>Whether nothing that was written to it is still on its way; false asks for a little time. Called again and again.</summary>
    public virtual bool IsSettled => true;

    /// <summary>Tells the others of it, and of what else only it knows.</summary>
    public virtual void Announce(List<InventoryItem> items)
        => items.Add(new InventoryItem(Key, Peer, (uint)Kernel.Tid, (uint)Descriptors[0].Fd, Auxiliary));

    /// <summary>What other holders must know of it beforehand: the open flags in the low half.</summary>
    public virtual ulong Auxiliary => (uint)Info.Flags;

    /// <summary>The open and status flags that another member has announced.</summary>
    public static int FlagsOf(Candidate other) => (int)(uint)other.Item.Auxiliary;

    /// <summary>Member that makes this description at the restart; set by <see cref="Sharing"/>.</summary>
    public uint Creator { get; set; }

    /// <summary>Other members that have this very description.</summary>
    public List<uint> Sharers { get; } = [];

    /// <summary>The name under which creator and sharers exchange it.</summary>
    public DescriptionId Id { get; set; }

    /// <summary>Finds out who else holds it, from what the members have announced.</summary>
    public virtual void Resolve(uint self, CandidateTable candidates) => Sharing.ResolveByComparison(this, self, candidates);

    /// <summary>Records the state that a restart needs. Called after all members are suspended.</summary>
    /// <exception cref="CheckpointException">It cannot be restored: by name, and with a way out.</exception>
    public abstract void Capture();

    /// <summary>At the checkpoint: gives other members for a moment what they need to look into their end.</summary>
    public virtual void LendForDrain(uint self, DescriptorExchange exchange)
    {
    }

    /// <summary>At the checkpoint, after <see cref="Capture"/>: the unread data of connections.</summary>
    public virtual void CaptureContents(uint self, DescriptorExchange exchange)
    {
    }

    /// <summary>Makes the description again, in the creator. Returns a descriptor with any number, or -errno.</summary>
    /// <exception cref="CheckpointException">It cannot be made; says what and why.</exception>
    public abstract int Reopen();

    /// <summary>Learns of this process's other descriptions, by key: the other end may be here, too.</summary>
    public virtual void Link(Dictionary<ResourceKey, OpenFile> own)
    {
    }

    /// <summary>In the creator: makes and sends what belongs to the same object but only other members hold.</summary>
    public virtual void MakeForOthers(uint self, DescriptorExchange exchange, Dictionary<DescriptionId, int> made)
    {
    }

    /// <summary>In the others: expects what the creator sends beside the description itself.</summary>
    public virtual void ExpectFromCreator(uint self, DescriptorExchange exchange)
    {
    }

    /// <summary>In every holder, once all members have all descriptors: puts unread data back.</summary>
    public virtual void Fill(uint self, DescriptorExchange exchange)
    {
    }

    /// <summary>In every holder, once all data is back everywhere: options and states that would have been in the way.</summary>
    public virtual void Seal(uint self)
    {
    }

    /// <summary>In the creator, after all descriptors of the process have their numbers: what refers to other descriptors or belongs to a process.</summary>
    public virtual void Finish()
    {
    }

    /// <summary>What of it will not survive; null when all does.</summary>
    public virtual string? Loss => null;
}

/// <summary>Names one description among all of a host while descriptors are exchanged.</summary>
internal readonly record struct DescriptionId(ulong High, ulong Low, ulong Role);

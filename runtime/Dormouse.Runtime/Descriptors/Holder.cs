namespace Dormouse.Runtime.Descriptors;

/// <summary>A description as one member has announced it.</summary>
/// <param name="Member">Its number in the computation.</param>
/// <param name="Pid">Its process id, on this host.</param>
/// <param name="Item">What it said.</param>
internal readonly record struct Holder(uint Member, int Pid, InventoryItem Item)
{
    /// <summary>The description's open and status flags.</summary>
    public int Flags => (int)(uint)Item.Auxiliary;
}

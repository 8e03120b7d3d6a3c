namespace Dormouse.Runtime.Descriptors;

/// <summary>Descriptions on the kernel's one anonymous inode, which only kcmp(2) can tell apart.</summary>
internal abstract class AnonymousFile(DescriptorInfo info) : OpenFile(info)
{
    public override ResourceKey Key => ObjectKeys.OfFile(Info, Info.Link);
}

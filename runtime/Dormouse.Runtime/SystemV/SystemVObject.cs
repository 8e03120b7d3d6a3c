// World: Frozen (capture), restored process (restore).
using System.Globalization;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.SystemV;

/// <summary>A semaphore set, a message queue, or a segment that nobody has attached: sysvipc(7).</summary>
/// <param name="kind">shm, sem or msg.</param>
/// <param name="key">As programs give it to semget(2); 0: IPC_PRIVATE.</param>
/// <param name="id">Programs keep it and pass it on.</param>
/// <param name="mode">Permissions.</param>
/// <param name="claim">Whether it is ours.</param>
internal abstract class SystemVObject(string kind, int key, int id, int mode, Claim claim)
{
    protected const int NoWait = 0x800;
    private const int CreateFlag = 0x200, ExclusiveFlag = 0x400;

    protected string KindName => kind;

    protected int KeyOfPrograms => key;

    protected int Id => id;

    /// <summary>For the calls that create.</summary>
    protected int CreateFlags => (mode & 0x1FF) | CreateFlag | ExclusiveFlag;

    /// <summary>What it is, in words.</summary>
    protected abstract string Name { get; }

    /// <summary>The strongest of all members.</summary>
    public Claim Claim { get; set; } = claim;

    /// <summary>Whether this process saves it and makes it again.</summary>
    public bool IsOwnedHere { get; set; } = true;

    /// <summary>The same in all members of the host.</summary>
    public ResourceKey Key { get; } = ObjectKeys.OfInode("sysv " + kind, 0, (uint)id);

    /// <exception cref="CheckpointException">It cannot be read.</exception>
    public abstract void Capture();

    /// <summary>Makes it again where it is gone; without a namespace of its own it has outlived the killed processes.</summary>
    /// <exception cref="CheckpointException">It is certainly ours, and key or id are taken.</exception>
    public void Restore()
    {
        try
        {
            if (!IsThere())
            {
                Check(SystemVId.Create(kind, id, Create, Remove));
                Fill();
            }
            else if (Claim == Claim.Certain)
            {
                Fill();
            }
            else if (!HasContents())
            {
                RestartStdio.Warn($"the System V {Name} {Number} is left as it is: it has changed since the checkpoint, and the process that used it had ended");
            }
        }
        catch (CheckpointException problem) when (Claim != Claim.Certain)
        {
            RestartStdio.Warn(problem.Message.TrimEnd('.'));
        }
    }

    protected string Number => id.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether the object with this id is still the one.</summary>
    protected abstract bool IsThere();

    /// <summary>Whether it has the contents of the checkpoint.</summary>
    protected abstract bool HasContents();

    /// <returns>Its id or -errno.</returns>
    protected abstract int Create();

    protected abstract void Remove(int id);

    /// <summary>Gives it the contents of the checkpoint.</summary>
    protected abstract void Fill();

    protected void Check(long result)
    {
        if (result < 0)
        {
            throw new CheckpointException($"cannot make the System V {Name} {Number} (key 0x{key:x}) again: {Errno.Text(result)}. {SystemVId.Advice(result)}");
        }
    }
}

// World: Frozen (capture), restored process (restore).
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Sockets;

/// <summary>What all sockets have in common: an inode for each, options, and holders that share it by fork.</summary>
internal abstract class SocketFile(DescriptorInfo info) : OpenFile(info)
{
    private const ulong Role = 3ul << 32;
    private SocketOptions? _options;

    public override ResourceKey Key => ObjectKeys.OfInode("socket", 0, Info.Status.Inode);

    protected int Domain => Info.Socket.Domain;

    protected int Type => Info.Socket.Type;

    protected int Protocol => Info.Socket.Protocol;

    protected byte[] LocalAddress => Info.SocketAddress;

    protected bool IsStream => Type == Constant.SOCK_STREAM;

    /// <summary>The lowest holder of this socket: it captures and fills it.</summary>
    protected uint Keeper { get; private set; }

    /// <summary>Which of those who hold it is to be its keeper.</summary>
    protected virtual uint Choose(uint self, List<Candidate> holders) => Sharing.LowestMember(self, holders);

    public override void Resolve(uint self, CandidateTable candidates)
    {
        List<Candidate> holders = candidates.WithKey(Key);
        Keeper = Choose(self, holders);
        Creator = Keeper;
        Id = IdOf(Key);
        Sharers.Clear();
        foreach (Candidate holder in holders)
        {
            if (!Sharers.Contains(holder.Member))
            {
                Sharers.Add(holder.Member);
            }
        }
    }

    public override string? Loss => Keeper == Worker.Current.Member && _options is { HasUnreadable: true }
        ? $"{Name}: the kernel keeps something for this TCP socket that it shows to nobody: keys (TCP_MD5SIG, TCP_AO), IPv6 extension headers or notices of MSG_ZEROCOPY; it is lost at a restart"
        : null;

    public override void Capture() => _options = SocketOptions.Capture(Info.Fd, Info.Socket, HasPeer);

    /// <summary>Whether it is connected; a connection cannot take some options.</summary>
    protected virtual bool HasPeer => SocketCalls.PeerAddress(Info.Fd).Length > 0;

    /// <summary>Where the file of its name lies, for the one who makes it again; null: it has none, or that is another member.</summary>
    public string? PathOfKeeper(uint self) => Keeper == self ? SocketName.PathOf(LocalAddress) : null;

    public override void Seal(uint self)
    {
        if (Keeper == self)
        {
            _options!.Restore(Descriptors[0].Fd, Name);
            Kernel.Fcntl(Descriptors[0].Fd, Constant.F_SETFL, Info.Flags & (Constant.O_NONBLOCK | Constant.O_APPEND));
        }
    }

    /// <summary>The unread messages when descriptors lie in them, made known to <paramref name="adopt"/>; else null.</summary>
    /// <remarks>The kernel counts them: "scm_fds:" of fdinfo, for AF_UNIX since Linux 5.7. All who hold the socket look: which of them
    /// is to keep it is not known yet, and the place of a peek is the socket's, not the process's.</remarks>
    protected SocketContents? PeekCarried(Func<int, OpenFile> adopt)
    {
        const string Count = "scm_fds:";
        if (Domain != Constant.AF_UNIX || (Info.HasDetail(Count) && Info.Detail(Count) == "0"))
        {
            return null;
        }

        using Turn turn = Turn.Await(Info.Link);
        var contents = SocketContents.Peek(Info.Fd, IsStream);
        contents.Adopt(adopt);
        return contents;
    }

    protected SocketOptions Options => _options!;

    internal static DescriptionId IdOf(ResourceKey key) => new(key.High, key.Low, Role);

    /// <summary>Name of the other end, which the keeper of <paramref name="key"/> gets to fill its socket through.</summary>
    protected static DescriptionId FeederOf(ResourceKey key) => new(key.High, key.Low, Role | 1);

    /// <summary>For people.</summary>
    internal string Name => $"fd {Info.Fd} ({Info.Link})";
}

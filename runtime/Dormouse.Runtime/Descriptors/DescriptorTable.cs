// World: Frozen (read to describe), restored process (restore, finish).
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Coordination;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Sockets;
using Dormouse.Runtime.Sockets.External;

namespace Dormouse.Runtime.Descriptors;

/// <summary>All descriptors of this process, as the descriptions that they refer to.</summary>
internal sealed class DescriptorTable
{
    private const int SettleMilliseconds = 20;
    private readonly List<OpenFile> _files = [];
    private readonly Dictionary<ResourceKey, OpenFile> _lastByKey = [];
    private readonly Dictionary<ResourceKey, Pipe> _pipes = [];
    private readonly Dictionary<ResourceKey, Pty> _terminals = [];
    private uint _self;
    private FileLocks? _locks;

    /// <summary>Numbers from here on are not the program's.</summary>
    public int Floor { get; private set; }

    public IReadOnlyList<OpenFile> Files => _files;

    /// <summary>The numbers that the program has in use, ascending.</summary>
    /// <param name="own">Descriptors of our own, to be left out where they are in the same table.</param>
    public static List<int> Numbers(params ReadOnlySpan<int> own)
    {
        List<int> numbers = ProcFile.Numbers("/proc/self/fd");
        if (!BorrowedDescriptors.IsNeeded)
        {
            foreach (int fd in own)
            {
                numbers.Remove(fd);
            }
        }

        return numbers;
    }

    /// <summary>Reads the table of a suspended process.</summary>
    public static DescriptorTable Read(List<int> numbers)
    {
        // Names given at one checkpoint are used at its restart, on whatever host; the next checkpoint makes new ones.
        ObjectKeys.ForgetHost();
        var table = new DescriptorTable();
        string launchStdio = LaunchStdio.Text;
        foreach (DescriptorInfo info in DescriptorInfo.Read(numbers))
        {
            table.Add(info, launchStdio);
            table.Floor = Math.Max(table.Floor, info.Fd + 1);
        }

        // What one message carries may itself have messages that carry something.
        for (int i = 0; i < table._files.Count; i++)
        {
            table._files[i].AdoptCarried(fd => table.AdoptCarried(fd, launchStdio));
        }

        table.Settle();
        return table;
    }

    /// <summary>Closes what was only borrowed from messages under way: after the checkpoint, and when a restart has sent them again.</summary>
    public void ReleaseCarried()
    {
        foreach (OpenFile file in _files)
        {
            if (file.IsCarried && file.Descriptors[0].Fd >= 0)
            {
                Kernel.Close(file.Descriptors[0].Fd);
                file.Descriptors[0] = (-1, true);
            }
        }
    }

    public void Announce(List<InventoryItem> items, List<ConnectionEnd> ends)
    {
        foreach (OpenFile file in _files)
        {
            if (file is TcpConnection { IsInNetwork: true } connection)
            {
                ends.Add(new ConnectionEnd((uint)items.Count, connection.Cookie));
            }

            file.Announce(items);
        }
    }

    public void Resolve(uint self, CandidateTable candidates)
    {
        _self = self;
        var own = new Dictionary<ResourceKey, OpenFile>(_files.Count);
        foreach (OpenFile file in _files)
        {
            own.TryAdd(file.Key, file);
        }

        foreach (OpenFile file in _files)
        {
            file.Link(own);
        }

        foreach (OpenFile file in _files)
        {
            file.Resolve(self, candidates);
        }
    }

    public void Capture(DescriptorExchange exchange)
    {
        _locks = FileLocks.Capture(_files);
        ControllingTerminal.Capture();
        LaunchTerminal.Forget();
        SocketOptionLayout.Forget();
        foreach (OpenFile file in _files)
        {
            file.Capture();
            file.LendForDrain(_self, exchange);
        }

        exchange.Complete();
        ExternalConnections.Capture(Connections(connection => connection.IsExternal(_self)));
        foreach (OpenFile file in _files)
        {
            file.CaptureContents(_self, exchange);
        }

        SocketDiagnosis.Close();
    }

    public void Describe(ImageManifest manifest)
    {
        var notes = new List<DescriptorNote>();
        var losses = new List<string>();
        foreach (OpenFile file in _files)
        {
            foreach ((int fd, _) in file.Descriptors)
            {
                if (!file.IsCarried)
                {
                    notes.Add(new DescriptorNote(fd, file.Kind, file.Description));
                }
            }

            if (file.Loss is { } loss)
            {
                losses.Add(loss);
            }
        }

        _locks!.AddLosses(losses);
        manifest.Descriptors = notes.ToArray();
        manifest.Losses = losses.ToArray();
        manifest.LaunchStdio = LaunchStdio.Text;
    }

    /// <summary>Makes or receives every description and gives it its numbers.</summary>
    public void Restore(DescriptorExchange exchange, Link link, uint epoch)
    {
        new RemoteMeeting(link, epoch).Make(RemoteConnections());
        var made = new Dictionary<DescriptionId, int>();
        foreach (OpenFile file in _files)
        {
            if (file.Creator == _self && !made.ContainsKey(file.Id))
            {
                Make(file, exchange, made);
            }
        }

        foreach (OpenFile file in _files)
        {
            if (file.Creator == _self)
            {
                file.MakeForOthers(_self, exchange, made);
            }
            else
            {
                exchange.Expect(file.Id);
                file.ExpectFromCreator(_self, exchange);
            }
        }

        exchange.Complete();
        Place(exchange, link, made);
        foreach (Pipe pipe in _pipes.Values)
        {
            pipe.Close();
        }
    }

    /// <summary>Before anything is changed anywhere.</summary>
    /// <exception cref="CheckpointException">A path is another program's now.</exception>
    public void Check()
    {
        // All that a server has accepted are named like the socket that listens.
        var paths = new HashSet<string>();
        foreach (OpenFile file in _files)
        {
            if (file is SocketFile socket && socket.PathOfKeeper(_self) is { } path && paths.Add(path))
            {
                SocketPlace.Check(path, socket.Name);
            }
        }

        SocketDiagnosis.Close();
    }

    /// <summary>See <see cref="Addresses.OldAddresses.Claim"/>.</summary>
    public void ClaimPorts()
    {
        foreach (OpenFile file in _files)
        {
            (file as UnboundSocket)?.ClaimPort(_self);
        }
    }

    /// <summary>All members have all their descriptors: fill the sockets, and what refers to other descriptors.</summary>
    public void Finish(DescriptorExchange exchange)
    {
        RemoteRefill.Run(RemoteConnections());
        foreach (OpenFile file in _files)
        {
            file.Fill(_self, exchange);
            if (file.Creator == _self)
            {
                file.Finish();
            }
        }
    }

    /// <summary>All members have filled everything: last touches, before any program runs.</summary>
    public void Seal()
    {
        foreach (OpenFile file in _files)
        {
            file.Seal(_self);
        }

        ShownNames.Show();
    }

    /// <summary>When nothing of this restart closes a file any more.</summary>
    public void RestoreLocks() => _locks!.Restore(_self);

    private List<TcpConnection> RemoteConnections() => Connections(connection => connection.IsMadeBy(_self));

    /// <summary>Those that <paramref name="areMeant"/>.</summary>
    public List<TcpConnection> Connections(Predicate<TcpConnection> areMeant)
    {
        var connections = new List<TcpConnection>();
        foreach (OpenFile file in _files)
        {
            if (file is TcpConnection connection && areMeant(connection))
            {
                connections.Add(connection);
            }
        }

        return connections;
    }

    private void Settle()
    {
        for (int waited = 0; waited < SettleMilliseconds && !AreSettled(); waited++)
        {
            Kernel.Sleep(1);
        }
    }

    private bool AreSettled()
    {
        bool areSettled = true;
        foreach (OpenFile file in _files)
        {
            areSettled &= file.IsSettled;
        }

        return areSettled;
    }

    private void Make(OpenFile file, DescriptorExchange exchange, Dictionary<DescriptionId, int> made)
    {
        int fd = file.Reopen();
        if (fd < 0)
        {
            throw new CheckpointException($"cannot make fd {file.Descriptors[0].Fd} ({file.Kind} {file.Description}) again: {Errno.Text(fd)}.");
        }

        fd = DescriptorNumbers.MoveAbove(fd, Floor);
        made.Add(file.Id, fd);
        foreach (uint sharer in file.Sharers)
        {
            exchange.Send(sharer, file.Id, fd);
        }
    }

    private void Place(DescriptorExchange exchange, Link link, Dictionary<DescriptionId, int> made)
    {
        foreach (OpenFile file in _files)
        {
            int fd = file.Creator == _self ? made[file.Id] : exchange.Take(file.Id);
            if (file.IsCarried)
            {
                file.Descriptors[0] = (Kernel.Fcntl(fd, Constant.F_DUPFD_CLOEXEC, Floor), true);
                continue;
            }

            foreach ((int number, bool closeOnExec) in file.Descriptors)
            {
                if (number == link.Descriptor)
                {
                    link.MoveAbove(Floor);
                }

                int error = Kernel.Dup3(fd, number, closeOnExec ? Constant.O_CLOEXEC : 0);
                if (error < 0)
                {
                    throw new CheckpointException($"cannot give fd {number} ({file.Kind} {file.Description}) its number back: {Errno.Text(error)}. Raise the limit of open files (ulimit -n) and run dmrestart again.");
                }
            }
        }

        foreach (int fd in made.Values)
        {
            Kernel.Close(fd);
        }
    }

    private OpenFile AdoptCarried(int fd, string launchStdio)
    {
        DescriptorInfo info = DescriptorInfo.ReadOwn(fd)!;
        OpenFile file = FileKinds.Classify(info, launchStdio);
        if (Known(file) is { } known)
        {
            Kernel.Close(fd);
            return known;
        }

        file.IsCarried = true;
        AddNew(file);
        return file;
    }

    private void Add(DescriptorInfo info, string launchStdio)
    {
        OpenFile file = FileKinds.Classify(info, launchStdio);
        if (Known(file) is { } known)
        {
            known.Descriptors.Add((info.Fd, info.CloseOnExec));
            return;
        }

        AddNew(file);
    }

    // The same description under a number that was read before.
    private OpenFile? Known(OpenFile file)
    {
        OpenFile? other = _lastByKey.GetValueOrDefault(file.Key);
        while (other is not null && !Sharing.IsSame(file, other.Descriptors[0].Fd))
        {
            other = other.Alike;
        }

        return other;
    }

    private void AddNew(OpenFile file)
    {
        if (file is PtyEnd terminal)
        {
            if (!_terminals.TryGetValue(terminal.Key, out Pty? pty))
            {
                pty = new Pty(terminal.Key, terminal.Number);
                _terminals.Add(terminal.Key, pty);
            }

            pty.Add(terminal);
        }

        if (file is PipeEnd end)
        {
            if (!_pipes.TryGetValue(end.Key, out Pipe? pipe))
            {
                pipe = new Pipe(end.Key);
                _pipes.Add(end.Key, pipe);
            }

            pipe.Add(end);
        }

        _files.Add(file);
        file.Alike = _lastByKey.GetValueOrDefault(file.Key);
        _lastByKey[file.Key] = file;
    }
}

using Dormouse.Protocol;

namespace Dormouse.UnitTests.Simulation;

/// <summary>What a well-behaved member answers to each message.</summary>
internal sealed class MemberScript(MemberHello hello)
{
    private CheckpointRequested _request;

    public MemberHello Hello { get; } = hello;

    public int[] Children { get; set; } = [];

    public InventoryItem[] Inventory { get; set; } = [];

    /// <summary>Those of the inventory that are connections through the network.</summary>
    public ConnectionEnd[] Ends { get; set; } = [];

    /// <summary>What its kernel knows of connections, after it has done what is asked for.</summary>
    public Func<MemberScript, ProbeEnds, EndReport[]>? Probed { get; set; }

    /// <summary>By cookie.</summary>
    public Dictionary<ulong, NamedEnd> Named { get; private set; } = [];

    /// <summary>Really write, rename and unlink files.</summary>
    public bool TouchesFiles { get; init; }

    /// <summary>Do not answer this any more.</summary>
    public FrameKind? SilentAt { get; set; }

    public Welcome Welcome { get; private set; }

    public Candidates Candidates { get; private set; }

    public CheckpointFinished Finished { get; private set; }

    public Abort Abort { get; private set; }

    public string ImageName => ImageNames.Image(Hello.Program, Welcome.Computation, Welcome.Member);

    /// <summary>Appends the answers to <paramref name="writer"/>.</summary>
    public void Respond(ReceivedFrame frame, ref MessageWriter writer)
    {
        if (frame.Kind == SilentAt) return;
        switch (frame.Kind)
        {
            case FrameKind.Welcome:
                Welcome = frame.As<Welcome>();
                break;
            case FrameKind.CheckpointRequested:
                _request = frame.As<CheckpointRequested>();
                Frame.Append(ref writer, new Suspended(_request.Epoch, 1, Children));
                break;
            case FrameKind.ChildrenUnknown:
                Frame.Append(ref writer, new Suspended(_request.Epoch, 1, Children));
                break;
            case FrameKind.ProbeEnds:
                ProbeEnds order = frame.As<ProbeEnds>();
                Frame.Append(ref writer, new EndReports(_request.Epoch, Probed!(this, order)));
                break;
            case FrameKind.NamedEnds:
                Named = frame.As<NamedEnds>().Ends.ToDictionary(end => end.Cookie);
                break;
            case FrameKind.Candidates:
                Candidates = frame.As<Candidates>();
                Frame.Append(ref writer, new BarrierReached(_request.Epoch, Phase.Drain));
                break;
            case FrameKind.BarrierReleased:
                Released(frame.As<BarrierReleased>(), ref writer);
                break;
            case FrameKind.CommitImages:
                if (TouchesFiles) Rename(frame.As<CommitImages>());
                Frame.Append(ref writer, new CommitDone(_request.Epoch));
                break;
            case FrameKind.CheckpointFinished:
                Finished = frame.As<CheckpointFinished>();
                if (TouchesFiles) foreach (string path in Finished.Obsolete) File.Delete(path);
                break;
            case FrameKind.Abort:
                Abort = frame.As<Abort>();
                break;
        }
    }

    private static void Rename(CommitImages commit)
    {
        foreach (ImageRename rename in commit.Renames)
        {
            if (rename.Optional && (!File.Exists(rename.From) || File.Exists(rename.To))) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(rename.To)!);
            File.Move(rename.From, rename.To, overwrite: true);
        }
    }

    private void Released(BarrierReleased released, ref MessageWriter writer)
    {
        switch (released.Phase)
        {
            case Phase.Suspend:
                Frame.Append(ref writer, new Inventory(released.Epoch, Inventory, Ends));
                break;
            case Phase.Drain:
                Frame.Append(ref writer, new BarrierReached(released.Epoch, Phase.Write));
                break;
            case Phase.Write:
                string temporary = Path.Combine(_request.Directory, ImageNames.Temporary(ImageName, _request.Epoch));
                if (TouchesFiles) File.WriteAllText(temporary, $"generation {_request.Generation}");
                Frame.Append(ref writer, new ImageWritten(_request.Epoch, temporary, ImageName, 4096, 8192, 1234, []));
                break;
            case Phase.Memory:
                Frame.Append(ref writer, new BarrierReached(released.Epoch, Phase.Reopen));
                break;
            case Phase.Reopen:
                Frame.Append(ref writer, new BarrierReached(released.Epoch, Phase.Reconnect));
                break;
            case Phase.Reconnect:
                Frame.Append(ref writer, new BarrierReached(released.Epoch, Phase.Refill));
                break;
            case Phase.Refill:
                Frame.Append(ref writer, new BarrierReached(released.Epoch, Phase.Resume));
                break;
        }
    }
}

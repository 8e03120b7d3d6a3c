// World: a restored process whose program threads are still parked.
using Dormouse.Runtime.Addresses;
using Dormouse.Runtime.Checkpoint;
using Dormouse.Runtime.Coordination;
using Dormouse.Runtime.Descriptors;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Process;
using Dormouse.Runtime.Sockets.External;
using Dormouse.Runtime.SystemV;

namespace Dormouse.Runtime.Restart;

/// <summary>From the restorer's jump to RESUME: the process makes its own resources again; see docs/PROTOCOL.md.</summary>
internal static unsafe class RestartRun
{
    private const uint Pod = 1; // DM_RESTART_POD
    private const uint AcceptChangedFiles = 4; // DM_RESTART_ACCEPT_CHANGED_FILES
    private const uint RestoredDeadlineMilliseconds = 60000;
    private const int FirstWordMilliseconds = 2000;

    /// <summary>Ends the process when it cannot be restored: nothing half-alive is left.</summary>
    public static void Execute(Worker worker, CheckpointRun run)
    {
        RestartInfo info = *Shim.Self()->RestartInfo;
        Shim.Self()->LinkPlusOne = 0;
        // The restorer's threads share one table, so that we can fill that of the program.
        Shim.Self()->OwnsTable = 0;
        Sockets.AcceptOrder.Forget();
        Sockets.ShownNames.Forget();
        Sockets.EmptyDatagrams.Forget();
        OldAddresses.Forget();
        if (Shim.AwaitRestored(RestoredDeadlineMilliseconds) < 0)
        {
            Fail(null, worker.Who() + ": not all threads came back. Run dmrestart again.");
        }

        Dumpability.OpenAgain();
        Kernel.Call(SystemCall.MUnmap, (long)info.RegionStart, (long)info.RegionBytes);
        run.ReleaseAfterRestore();
        Link? link = null;
        try
        {
            CoordinatorAddress address = CoordinatorAddress.FromRestart(&info);
            run.Process!.RaiseOpenFiles(run.Descriptors!.Floor);
            RestartStdio.Take(&info);
            SystemVClaim.IsRestored = true;
            SystemVClaim.IsInPod = (info.Flags & Pod) != 0;
            DescriptorNumbers.Reserved = run.Descriptors.Floor;
            RestartStdio.MoveAbove(run.Descriptors.Floor);
            Kernel.Close(info.ImageFd);
            // Before the coordinator knows of us: when it knows all, everybody has done it.
            ExternalConnections.HoldBack();
            link = Link.Open(address);
            Sockets.SocketName.Here = Sockets.SocketCalls.LocalAddress(link.Descriptor);
            link.Send(worker.Hello(MemberFlags.Restarted));
            link.ReceiveWelcome(-1);
            Restore(worker, run, link, &info);
            worker.TakeUp(address, link);
            Membership.Change(address, LaunchStdio.Text, info.Library);
        }
        catch (CheckpointException failure)
        {
            Fail(link, worker.Who() + ": " + failure.Message);
        }
        catch (LinkLostException) when (link is not null)
        {
            // dmrestart sees the end of the coordinator, too, and says so once for all.
            Kernel.Call(SystemCall.ExitGroup, 1);
        }
        catch (LinkLostException lost)
        {
            // Mostly the restart has failed elsewhere and the coordinator has gone: dmrestart says that and ends us meanwhile.
            Kernel.Sleep(FirstWordMilliseconds);
            Fail(null, worker.Who() + ": " + lost.Message);
        }
        catch (Exception mistake)
        {
            Fail(link, CheckpointException.OfMistake(worker.Who(), mistake));
        }

        DescriptorNumbers.Reserved = 0;
        Shim.GiveUpPrivilegesAgain();
        Dumpability.Close();
        run.Process!.RestoreSignals();
        Shim.Self()->OwnsTable = Shim.LeaveTableWith((uint)link!.Descriptor);
        DescriptorLimit.GiveBack();
        MemoryLimits.GiveBack();
        Shim.Resume();
    }

    private static void Restore(Worker worker, CheckpointRun run, Link link, RestartInfo* info)
    {
        uint epoch = AwaitRelease(link, Phase.Memory);
        run.Files!.Check((info->Flags & AcceptChangedFiles) != 0);
        run.Process!.RestoreSurroundings();
        run.Descriptors!.Check();
        var exchange = DescriptorExchange.Open(info->Session, worker.Member);
        // All members hold their packets back by now: what comes for an address of theirs gets no answer.
        ExternalConnections.BringAddresses();
        OldAddresses.AnnounceHost(link, epoch);
        // Until here nothing outside the processes has been changed.
        Pass(link, epoch, Phase.Reopen);
        OldAddresses.Use();
        run.SystemV!.Restore();
        run.Files.RollBack(exchange, worker.Generation);
        run.SharedMemory!.Restore(exchange);
        run.Descriptors.Restore(exchange, link, epoch);
        run.SharedMemory.CloseDescriptors();
        run.Descriptors.ClaimPorts();
        OldAddresses.AnnouncePorts(link, epoch);
        Pass(link, epoch, Phase.Reconnect);
        run.Descriptors.Finish(exchange);
        OldAddresses.AnnouncePorts(link, epoch);
        OldAddresses.WarnOfPorts();
        run.Process!.Warn();
        Pass(link, epoch, Phase.Refill);
        OldAddresses.Use();
        run.Process!.RestoreUndo();
        run.Descriptors.Seal();
        run.Descriptors.ReleaseCarried();
        run.SharedMemory.Seal();
        CapturedMemory.Release();
        RestartStdio.Close();
        exchange.Dispose();
        run.Descriptors.RestoreLocks();
        run.Process.RestoreTimers();
        Pass(link, epoch, Phase.Resume);
        ExternalConnections.WakeUp();
    }

    private static void Pass(Link link, uint epoch, Phase phase)
    {
        link.Send(new BarrierReached(epoch, phase));
        AwaitRelease(link, phase);
    }

    private static uint AwaitRelease(Link link, Phase phase)
    {
        for (; ; )
        {
            link.Receive(-1, out FrameKind kind, out ReadOnlySpan<byte> payload);
            if (kind is FrameKind.Abort or FrameKind.KillRequested)
            {
                Kernel.Call(SystemCall.ExitGroup, 1);
            }

            if (kind == FrameKind.Announced)
            {
                OldAddresses.Learn(Frame.Read<Announced>(payload));
            }

            if (kind == FrameKind.BarrierReleased)
            {
                BarrierReleased released = Frame.Read<BarrierReleased>(payload);
                if (released.Phase == phase)
                {
                    return released.Epoch;
                }
            }
        }
    }

    /// <summary>Ends the process. The reason goes to dmrestart by way of the coordinator, or where that cannot be, to its standard error.</summary>
    private static void Fail(Link? link, string reason)
    {
        if (!TryTell(link, reason) && RestartStdio.Descriptor(2) is >= 0 and int error)
        {
            Kernel.Write(error, Dormouse.Protocol.Image.KernelText.ToBytes("dmrestart: " + reason + "\n"));
        }

        Kernel.Call(SystemCall.ExitGroup, 1);
    }

    private static bool TryTell(Link? link, string reason)
    {
        try
        {
            link?.Send(new RestartFailed(reason));
            return link is not null;
        }
        catch (LinkLostException)
        {
            return false;
        }
    }
}

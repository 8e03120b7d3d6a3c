using Dormouse.Protocol;

namespace Dormouse.Coordinator.State;

/// <summary>What members say, and what that means for the checkpoint or restart under way.</summary>
internal sealed class MemberMessages(Computation computation)
{
    /// <exception cref="ProtocolException">It may not send that, or not now.</exception>
    public void Receive(Member member, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Suspended:
                Suspended suspended = Frame.Read<Suspended>(payload);
                if (IsCurrent(suspended.Epoch)) StandsStill(member, suspended);
                break;
            case FrameKind.Inventory:
                Inventory inventory = Frame.Read<Inventory>(payload);
                if (!IsCurrent(inventory.Epoch)) return;
                (member.Inventory, member.Ends) = (inventory.Items, inventory.Ends);
                computation.Finished(member, Step.List);
                break;
            case FrameKind.EndReports:
                EndReports reports = Frame.Read<EndReports>(payload);
                if (IsCurrent(reports.Epoch) && computation.Round is CheckpointRound checkpoint) checkpoint.Receive(member, reports);
                break;
            case FrameKind.ImageFileWanted:
                ImageFileWanted wanted = Frame.Read<ImageFileWanted>(payload);
                if (IsCurrent(wanted.Epoch) && computation.Round is CheckpointRound opener) opener.OpenImage(member, wanted);
                break;
            case FrameKind.BarrierReached:
                BarrierReached reached = Frame.Read<BarrierReached>(payload);
                if (IsCurrent(reached.Epoch)) computation.Finished(member, Step.OfBarrier(reached.Phase));
                break;
            case FrameKind.ImageWritten:
                ImageWritten image = Frame.Read<ImageWritten>(payload);
                if (!IsCurrent(image.Epoch)) return;
                CheckNames(image);
                member.Image = image;
                computation.Finished(member, Step.Sync);
                break;
            case FrameKind.CommitDone:
                if (IsCurrent(Frame.Read<CommitDone>(payload).Epoch)) computation.Finished(member, Step.Commit);
                break;
            case FrameKind.CheckpointFailed:
                CheckpointFailed failed = Frame.Read<CheckpointFailed>(payload);
                if (!IsCurrent(failed.Epoch)) return;
                if (failed.IsPassing) computation.Postpone(Attribute(member, failed.Reason));
                else computation.Fail(FailureKind.Failed, Attribute(member, failed.Reason));
                break;
            case FrameKind.Publish:
                Publish publish = Frame.Read<Publish>(payload);
                if (IsCurrent(publish.Epoch)) Restart.Names.Add(publish);
                break;
            case FrameKind.Lookup:
                Lookup lookup = Frame.Read<Lookup>(payload);
                if (IsCurrent(lookup.Epoch)) Restart.Names.Ask(member, lookup);
                break;
            case FrameKind.Announce:
                Announce announce = Frame.Read<Announce>(payload);
                if (IsCurrent(announce.Epoch)) Restart.Names.Announce(announce);
                break;
            case FrameKind.RestartFailed:
                RestartFailed restart = Frame.Read<RestartFailed>(payload);
                if (computation.Round is { IsRestart: true }) computation.Fail(FailureKind.Failed, Attribute(member, restart.Reason));
                break;
            default:
                throw new ProtocolException($"A member does not send {kind}.");
        }
    }

    private RestartRound Restart => computation.Round as RestartRound ?? throw new ProtocolException("Names are published during a restart.");

    private static void CheckNames(in ImageWritten image)
    {
        if (!Path.IsPathRooted(image.TemporaryPath) || image.FinalName.Length == 0 || image.FinalName.Contains('/'))
            throw new ProtocolException("An image has an impossible name.");
    }

    /// <summary>A reason with the process that gave it, should it not say so itself.</summary>
    private static string Attribute(Member member, string reason)
        => reason.Contains($"pid {member.Hello.Pid}", StringComparison.Ordinal) ? reason : $"{member}: {reason}";

    /// <summary>Whether a message belongs to the checkpoint under way. Late messages of one that was given up cross with its abort.</summary>
    private bool IsCurrent(uint epoch)
    {
        if (epoch > computation.Epoch) throw new ProtocolException($"A member speaks of epoch {epoch}; this is epoch {computation.Epoch}.");
        return epoch == computation.Epoch && computation.Round is not null;
    }

    private void StandsStill(Member member, in Suspended suspended)
    {
        member.Children = suspended.Children;
        if (!member.LooksAgain)
        {
            computation.Finished(member, Step.Suspend);
            return;
        }

        member.LooksAgain = false;
        computation.Round?.AllFinished(Step.Suspend);
    }
}

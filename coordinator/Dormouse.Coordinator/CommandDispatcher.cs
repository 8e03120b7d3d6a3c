using Dormouse.Coordinator.Host;
using Dormouse.Coordinator.Network;
using Dormouse.Coordinator.State;
using Dormouse.Protocol;

namespace Dormouse.Coordinator;

/// <summary>Answers commands.</summary>
/// <param name="listeners">Where the coordinator can be reached.</param>
internal sealed class CommandDispatcher(Computation computation, Listeners listeners)
{
    /// <exception cref="ProtocolException">It is no command.</exception>
    public void Receive(Peer client, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.CommandHello:
                computation.Introduce(client, Frame.Read<CommandHello>(payload));
                break;
            case FrameKind.CheckpointCommand:
                CheckpointCommand checkpoint = Frame.Read<CheckpointCommand>(payload);
                if (IsUsable(client, checkpoint.Directory)) computation.BeginCheckpoint(client, checkpoint);
                break;
            case FrameKind.StatusCommand:
                client.Send(computation.Status());
                break;
            case FrameKind.ListCommand:
                List(client);
                break;
            case FrameKind.KillCommand:
                computation.Kill(client, quit: false);
                break;
            case FrameKind.QuitCommand:
                computation.Kill(client, quit: true);
                break;
            case FrameKind.IntervalCommand:
                computation.SetInterval(TimeSpan.FromSeconds(Frame.Read<IntervalCommand>(payload).Seconds));
                client.Send(default(CommandDone));
                break;
            case FrameKind.DirectoryCommand:
                string directory = Frame.Read<DirectoryCommand>(payload).Directory;
                if (directory.Length == 0 || !IsUsable(client, directory)) break;
                computation.SetDirectory(directory);
                client.Send(default(CommandDone));
                break;
            case FrameKind.AnnounceCommand:
                computation.Announce(client, Frame.Read<AnnounceCommand>(payload));
                client.Send(default(CommandDone));
                break;
            case FrameKind.ReachCommand:
                if (listeners.TryAdd(Frame.Read<ReachCommand>(payload).Address, out string told)) client.Send(new Reached(told));
                else client.Send(new CommandFailed(FailureKind.Failed, told));
                break;
            case FrameKind.DismissCommand:
                computation.Dismiss(client);
                break;
            case FrameKind.PreparingCommand:
                computation.Expect(client);
                break;
            case FrameKind.RestartBegin:
                computation.BeginRestart(client, Frame.Read<RestartBegin>(payload));
                break;
            default:
                throw new ProtocolException($"A command does not send {kind}.");
        }
    }

    private static bool IsUsable(Peer client, string directory)
    {
        if (directory.Length == 0 || Path.IsPathRooted(directory)) return true;
        client.Send(new CommandFailed(FailureKind.Failed, $"The directory {directory} must be given from the root: processes have different working directories."));
        return false;
    }

    private void List(Peer client)
    {
        HostPids.Find(computation.Members);
        foreach (Member member in computation.Members)
        {
            MemberHello hello = member.Hello;
            client.Send(new MemberReport(
                member.Id, hello.HostName, hello.Pid, member.HostPid ?? 0, hello.ParentPid, hello.StartTime, hello.Uid, hello.Program, hello.ExecutablePath));
        }

        client.Send(default(CommandDone));
    }
}

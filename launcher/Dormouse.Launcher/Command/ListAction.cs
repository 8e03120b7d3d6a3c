using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Command;

/// <summary>dmcommand --list: who belongs to the computation.</summary>
internal static class ListAction
{
    public static int Run(CoordinatorClient client, bool json)
    {
        client.Send(default(ListCommand));
        List<MemberReport> members = [];
        FrameKind kind;
        ReadOnlySpan<byte> payload;
        while ((kind = client.Receive(out payload)) == FrameKind.MemberReport) members.Add(Frame.Read<MemberReport>(payload));
        if (kind != FrameKind.CommandDone) throw CoordinatorClient.Unexpected(kind, payload);

        if (json) PrintJson(members);
        else PrintTable(members);
        return ExitCode.Success;
    }

    private static void PrintTable(List<MemberReport> members)
    {
        Table table = new(">#", "HOST", ">PID", ">HOSTPID", ">PPID", ">UID", "PROGRAM", "EXECUTABLE");
        foreach (MemberReport member in members)
        {
            table.Add(
                member.Member.ToString(), member.HostName, member.Pid.ToString(), member.HostPid == 0 ? "-" : member.HostPid.ToString(),
                member.ParentPid.ToString(), member.Uid.ToString(), member.Program, member.ExecutablePath);
        }

        table.Print();
    }

    private static void PrintJson(List<MemberReport> members) => Json.Print(writer =>
    {
        writer.WriteStartArray();
        foreach (MemberReport member in members)
        {
            writer.WriteStartObject();
            writer.WriteNumber("member", member.Member);
            writer.WriteString("host", member.HostName);
            writer.WriteNumber("pid", member.Pid);
            if (member.HostPid != 0) writer.WriteNumber("hostPid", member.HostPid);
            writer.WriteNumber("ppid", member.ParentPid);
            writer.WriteNumber("startTime", member.StartTime);
            writer.WriteNumber("uid", member.Uid);
            writer.WriteString("program", member.Program);
            writer.WriteString("executable", member.ExecutablePath);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });
}

using Dormouse.Launcher.Coordinators;
using Dormouse.Launcher.Tools;
using Dormouse.Protocol;

namespace Dormouse.Launcher.Command;

/// <summary>dmcommand --status: NAME=value lines, the first three as DMTCP's scripts expect them.</summary>
internal static class StatusAction
{
    public static int Run(CoordinatorClient client, bool json)
    {
        client.Send(default(StatusCommand));
        StatusReport status = client.Expect<StatusReport>();
        bool running = status.Members > 0 && status.Phase == Phase.Running;
        if (json)
        {
            Json.Print(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("host", status.CoordinatorHost);
                writer.WriteNumber("port", client.Address.Endpoint.Port);
                writer.WriteNumber("pid", status.CoordinatorPid);
                writer.WriteNumber("peers", status.Members);
                writer.WriteBoolean("running", running);
                writer.WriteString("phase", status.Phase.ToString());
                writer.WriteNumber("epoch", status.Epoch);
                writer.WriteNumber("generation", status.Generation);
                writer.WriteNumber("intervalSeconds", status.IntervalSeconds);
                writer.WriteString("directory", status.Directory);
                writer.WriteString("computation", status.Computation.ToString("x16"));
                writer.WriteString("waitingFor", status.WaitingFor);
                writer.WriteEndObject();
            });
            return ExitCode.Success;
        }

        string[] lines =
        [
            "Coordinator:",
            $"  Host: {status.CoordinatorHost}",
            $"  Port: {client.Address.Endpoint.Port}",
            "Status...",
            $"NUM_PEERS={status.Members}",
            $"RUNNING={(running ? "yes" : "no")}",
            $"CKPT_INTERVAL={status.IntervalSeconds}",
            $"CKPT_DIR={status.Directory}",
            $"GENERATION={status.Generation}",
            $"PHASE={status.Phase}",
        ];
        foreach (string line in lines) Terminal.WriteLine(Terminal.Out, line);
        if (status.WaitingFor.Length > 0) Terminal.WriteLine(Terminal.Out, $"WAITING_FOR={status.WaitingFor}");
        return ExitCode.Success;
    }
}

namespace Dormouse.Launcher.Tools;

internal static class ProgramVersion
{
    public static string Line(string tool)
        => $"{tool} (Dormouse) {typeof(ProgramVersion).Assembly.GetName().Version?.ToString(3)}, protocol {Protocol.ProtocolVersion.Current}";
}

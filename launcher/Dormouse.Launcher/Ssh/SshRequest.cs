using System.Text;

namespace Dormouse.Launcher.Ssh;

/// <summary>
/// What the local side tells the remote one, on ssh's own channel: the token is on no command line and in no file. Lines of a key
/// and a value, the last one is "end".
/// </summary>
/// <param name="Token">The computation's secret.</param>
/// <param name="Coordinators">Where it may be reached, the likeliest first.</param>
/// <param name="Relays">Where the local side waits.</param>
/// <param name="Session">16 bytes in hex: which of its sessions this is.</param>
/// <param name="Terminal">TERM, when the command gets a terminal.</param>
/// <param name="Command">Null: a login shell.</param>
internal sealed record SshRequest(string Token, IReadOnlyList<string> Coordinators, IReadOnlyList<string> Relays, string Session, string? Terminal, string? Command)
{
    private const string End = "end";

    public void Write(Stream stream)
    {
        StringBuilder text = new();
        Add("token", Token);
        foreach (string address in Coordinators) Add("coordinator", address);
        foreach (string address in Relays) Add("relay", address);
        Add("session", Session);
        if (Terminal is not null) Add("terminal", Terminal);
        if (Command is not null) Add("command", Convert.ToBase64String(Dormouse.Protocol.Image.KernelText.ToBytes(Command)));
        text.Append(End).Append('\n');
        stream.Write(Encoding.UTF8.GetBytes(text.ToString()));
        stream.Flush();

        void Add(string key, string value) => text.Append(key).Append(' ').Append(value).Append('\n');
    }

    /// <returns>Null when the other side ends without having said all.</returns>
    public static SshRequest? Read(Stream stream)
    {
        string token = "", session = "";
        string? terminal = null, command = null;
        List<string> coordinators = [], relays = [];
        while (LineReader.Read(stream) is { } line)
        {
            if (line == End) return new SshRequest(token, coordinators, relays, session, terminal, command);
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0) continue;
            string value = line[(space + 1)..];
            switch (line[..space])
            {
                case "token": token = value; break;
                case "coordinator": coordinators.Add(value); break;
                case "relay": relays.Add(value); break;
                case "session": session = value; break;
                case "terminal": terminal = value; break;
                case "command": command = Dormouse.Protocol.Image.KernelText.FromBytes(Convert.FromBase64String(value)); break;
            }
        }

        return null;
    }
}

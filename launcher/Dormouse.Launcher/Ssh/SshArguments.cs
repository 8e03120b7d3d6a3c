namespace Dormouse.Launcher.Ssh;

/// <summary>A command line of ssh(1) or rsh(1), as far as it matters: options stand before and after the host, then comes the command.</summary>
/// <param name="Options">Those for ssh itself, without what concerns the terminal and standard input.</param>
/// <param name="Host">As given: name, user@name, ssh://…</param>
/// <param name="Command">Null: a login shell.</param>
/// <param name="Terminal">How often -t was given; negative: -T.</param>
/// <param name="NoInput">-n.</param>
/// <param name="IsQuiet">-q.</param>
/// <param name="IsPlain">Carries no command: a tunnel, a subsystem, a question. To be left alone.</param>
internal sealed record SshArguments(IReadOnlyList<string> Options, string? Host, string? Command, int Terminal, bool NoInput, bool IsQuiet, bool IsPlain)
{
    /// <summary>Options with a value, as getopt in OpenSSH's ssh.c has them.</summary>
    private const string WithValue = "BbcDEeFIiJLlmOoPpQRSWw";

    /// <summary>-f: ssh goes to the background; -G, -Q, -V: questions; -N, -O, -s, -W: no command.</summary>
    private const string WithoutCommand = "fGNOQsVW";

    private static readonly string[] s_plainSettings = ["sessiontype=none", "sessiontype=subsystem", "forkafterauthentication=yes"];

    /// <param name="arguments">Without argv[0].</param>
    public static SshArguments Parse(IReadOnlyList<string> arguments)
    {
        List<string> options = [];
        string? host = null;
        int terminal = 0;
        bool noInput = false, isQuiet = false, isPlain = false;
        int at = 0;
        for (; at < arguments.Count; at++)
        {
            string argument = arguments[at];
            if (argument == "--")
            {
                at++;
                if (host is not null || at == arguments.Count) break;
                argument = arguments[at];
            }
            else if (argument.Length > 1 && argument[0] == '-')
            {
                string kept = "-";
                for (int i = 1; i < argument.Length; i++)
                {
                    char option = argument[i];
                    isQuiet |= option == 'q';
                    isPlain |= WithoutCommand.Contains(option);
                    if (WithValue.Contains(option))
                    {
                        string value = i + 1 < argument.Length ? argument[(i + 1)..] : ++at < arguments.Count ? arguments[at] : "";
                        if (option == 'o') isPlain |= s_plainSettings.Contains(value.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant());
                        if (kept.Length > 1) options.Add(kept);
                        options.Add($"-{option}");
                        options.Add(value);
                        kept = "-";
                        break;
                    }

                    if (option == 't') terminal = Math.Max(terminal, 0) + 1;
                    else if (option == 'T') terminal = -1;
                    else if (option == 'n') noInput = true;
                    else kept += option;
                }

                if (kept.Length > 1) options.Add(kept);
                continue;
            }

            if (host is not null) break;
            host = argument;
        }

        string? command = at < arguments.Count ? string.Join(' ', arguments.Skip(at)) : null;
        return new SshArguments(options, host, command, terminal, noInput, isQuiet, isPlain || host is null);
    }

    /// <summary>Whether the command gets a terminal, as ssh decides it.</summary>
    /// <param name="atTerminal">Standard input is one.</param>
    public bool WantsTerminal(bool atTerminal) => Terminal > 1 || (atTerminal && (Terminal == 1 || (Terminal == 0 && Command is null)));
}

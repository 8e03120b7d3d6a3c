using System.CommandLine;

namespace Dormouse.Launcher.Tools;

/// <summary>A command line as one list of options, with --help and --version that every tool has.</summary>
/// <param name="help">The whole text of --help: written by hand, to teach and not only to list.</param>
internal sealed class ToolCommand(string name, string help)
{
    private readonly System.CommandLine.Command _command = new(name);
    private readonly Option<bool> _help = new("--help");
    private readonly Option<bool> _version = new("--version");

    public string Name { get; } = name;

    public Option<T> Add<T>(string option, params string[] aliases)
    {
        Option<T> added = new(option, aliases) { AllowMultipleArgumentsPerToken = false };
        _command.Add(added);
        return added;
    }

    public Argument<string[]> AddArguments(string argument)
    {
        Argument<string[]> added = new(argument) { Arity = ArgumentArity.ZeroOrMore };
        _command.Add(added);
        return added;
    }

    /// <returns>Null when help or version was asked for, and printed.</returns>
    /// <exception cref="ToolException">An option is unknown or has a wrong value.</exception>
    public ParseResult? Parse(string[] args)
    {
        _command.Add(_help);
        _command.Add(_version);
        ParseResult result = _command.Parse(args);
        if (result.GetResult(_help) is { Implicit: false })
        {
            Terminal.WriteLine(Terminal.Out, help.TrimEnd());
            return null;
        }

        if (result.GetResult(_version) is { Implicit: false })
        {
            Terminal.WriteLine(Terminal.Out, ProgramVersion.Line(Name));
            return null;
        }

        if (result.Errors.Count > 0) throw new ToolException(ExitCode.Usage, $"{result.Errors[0].Message} See {Name} --help.");
        return result;
    }

    /// <summary>Where the options end and the program begins: everything from there on is the program's, whatever it looks like.</summary>
    public int IndexOfProgram(string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            string argument = args[i];
            if (argument == "--") return i + 1;
            if (!argument.StartsWith('-') || argument == "-") return i;
            if (TakesValue(argument)) i++;
        }

        return args.Length;
    }

    private bool TakesValue(string argument)
    {
        foreach (Option option in _command.Options)
        {
            if (option.ValueType != typeof(bool) && (option.Name == argument || option.Aliases.Contains(argument))) return true;
        }

        return false;
    }
}

using System.Globalization;

namespace Dormouse.Launcher.Tools;

/// <summary>Values of options that are whole numbers, refused in a sentence that names the option.</summary>
internal static class Number
{
    /// <returns>Null: the option was not given.</returns>
    /// <exception cref="ToolException">It is no whole number of that range.</exception>
    public static int? Parse(string? text, string option, int lowest, int highest = int.MaxValue)
    {
        if (text is null) return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= lowest && value <= highest) return value;
        string range = highest == int.MaxValue ? $"from {lowest} up" : $"from {lowest} to {highest}";
        throw new ToolException(ExitCode.Usage, $"'{text}' is no value for {option}: give a whole number {range}.");
    }

    public static int? ParsePort(string? text, string option) => Parse(text, option, 0, ushort.MaxValue);
}

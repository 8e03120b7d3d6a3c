using System.Globalization;

namespace Dormouse.EndToEnd.Harness;

/// <summary>How often the tests of the category "soak" repeat: DORMOUSE_SOAK_CYCLES, which ./run soak CYCLES sets.</summary>
internal static class Soak
{
    public static int Cycles(int usual)
        => int.TryParse(Environment.GetEnvironmentVariable("DORMOUSE_SOAK_CYCLES"), CultureInfo.InvariantCulture, out int cycles) ? cycles : usual;
}

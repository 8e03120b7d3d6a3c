using System.Text;

namespace Dormouse.Launcher.Tools;

/// <summary>Columns as wide as their contents. A heading that begins with &gt; aligns its column to the right.</summary>
internal sealed class Table(params string[] headings)
{
    private readonly List<string[]> _rows = [[.. headings.Select(heading => heading.TrimStart('>'))]];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Print()
    {
        int[] widths = [.. headings.Select((_, column) => _rows.Max(row => row[column].Length))];
        foreach (string[] row in _rows)
        {
            StringBuilder line = new();
            for (int column = 0; column < row.Length; column++)
            {
                bool right = headings[column].StartsWith('>');
                line.Append(right ? row[column].PadLeft(widths[column]) : row[column].PadRight(widths[column])).Append("  ");
            }

            Terminal.WriteLine(Terminal.Out, line.ToString().TrimEnd());
        }
    }
}

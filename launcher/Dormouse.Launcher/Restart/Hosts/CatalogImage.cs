using System.Globalization;
using Dormouse.Protocol.Image;

namespace Dormouse.Launcher.Restart.Hosts;

/// <summary>An image that a host has, as far as it matters for deciding where its process wakes.</summary>
/// <param name="HostId">Of the host where the process slept; PIDs are unique within it.</param>
/// <param name="HostName">Its name.</param>
/// <param name="FirstHostName">The name of the host where the process began; empty: not known.</param>
/// <param name="IsGiven">The user has named it, or its directory; else it lies beside one that was named.</param>
internal sealed record CatalogImage(
    ulong Computation, uint Generation, uint Member, uint ImageCount, string HostId, string HostName, string FirstHostName, int Pid, string Program, string Path,
    bool IsGiven)
{
    private const char Between = '\t';

    public static CatalogImage Read(string path, bool isGiven)
    {
        ImageManifest manifest = ImageFile.Open(path).Manifest;
        return new CatalogImage(
            manifest.Computation, manifest.Generation, manifest.Member, manifest.ImageCount, manifest.HostId, manifest.HostName,
            manifest.FirstHostName, manifest.Pid, manifest.Program, path, isGiven);
    }

    /// <summary>One line, for another host.</summary>
    public string ToLine() => string.Join(
        Between, Computation.ToString("x16", CultureInfo.InvariantCulture), Generation, Member, ImageCount, Pid, IsGiven ? 1 : 0,
        PartWords.Encode(HostId), PartWords.Encode(HostName), PartWords.Encode(Program), PartWords.Encode(Path),
        PartWords.Encode(FirstHostName));

    public static CatalogImage FromLine(string line)
    {
        string[] words = line.Split(Between);
        return new CatalogImage(
            ulong.Parse(words[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), Number(1), Number(2), Number(3), PartWords.Decode(words[6]),
            PartWords.Decode(words[7]), PartWords.Decode(words[10]), (int)Number(4), PartWords.Decode(words[8]), PartWords.Decode(words[9]), words[5] == "1");

        uint Number(int index) => uint.Parse(words[index], CultureInfo.InvariantCulture);
    }
}

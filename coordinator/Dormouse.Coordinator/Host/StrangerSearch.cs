using System.Text;
using Dormouse.Protocol.Programs;

namespace Dormouse.Coordinator.Host;

/// <summary>
/// Processes of this host that have the token of a computation in their environment and can be no members: a program that has
/// become a static one by exec, or static daemons, which are nobody's children any more. Members name their own children.
/// </summary>
internal static class StrangerSearch
{
    public static List<Stranger> Find(ReadOnlySpan<byte> token)
    {
        byte[] mark = Encoding.ASCII.GetBytes("DORMOUSE_TOKEN=" + Convert.ToHexStringLower(token));
        List<Stranger> found = [];
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), out int pid) && Contains($"{directory}/environ", mark)
                && Find(pid) is { } stranger)
                found.Add(stranger);
        }

        return found;
    }

    /// <summary>This process, if it is one.</summary>
    public static Stranger? Find(int pid) => Stranger.FindByProgram(pid, default(Files));

    /// <summary>Whether it is still there, and still what it was.</summary>
    public static bool Remains(Stranger stranger) => Find(stranger.Pid)?.Program == stranger.Program;

    private static bool Contains(string path, ReadOnlySpan<byte> mark)
    {
        try
        {
            return File.ReadAllBytes(path).AsSpan().IndexOf(mark) >= 0;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // It has ended, or is somebody else's.
            return false;
        }
    }

    private readonly struct Files : IProcessFiles
    {
        public string ReadText(string path)
        {
            try
            {
                return File.ReadAllText(path);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                return "";
            }
        }

        public byte[]? ReadStart(string path)
        {
            try
            {
                using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                byte[] start = new byte[ElfProgram.StartBytes];
                return start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }
}

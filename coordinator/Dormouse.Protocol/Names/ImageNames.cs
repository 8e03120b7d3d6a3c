namespace Dormouse.Protocol;

/// <summary>What the files of a checkpoint directory are called.</summary>
public static class ImageNames
{
    /// <summary>The image of one process: ckpt_PROGRAM_COMPUTATION-MEMBER.img.</summary>
    /// <remarks>A program may have renamed itself to anything (PR_SET_NAME), so what is awkward in a file name becomes an underscore.</remarks>
    public static string Image(string program, ulong computation, uint member)
    {
        char[] safe = program.ToCharArray();
        for (int i = 0; i < safe.Length; i++)
        {
            if (!char.IsAsciiLetterOrDigit(safe[i]) && safe[i] is not ('.' or '-' or '+')) safe[i] = '_';
        }

        return "ckpt_" + new string(safe) + "_" + Digits(computation) + "-" + member.ToString() + ".img";
    }

    /// <summary>The name under which an image is written, until its generation is committed.</summary>
    public static string Temporary(string image, uint epoch) => "." + image + ".part-" + epoch.ToString();

    /// <summary>The subdirectory to which the images of an older generation move.</summary>
    public static string Archive(uint generation) => "generation-" + generation.ToString();

    /// <summary>The coordinator's list of committed generations.</summary>
    public static string Manifest(ulong computation) => "dormouse-" + Digits(computation) + ".json";

    /// <summary>Eight hex digits, the low half: enough to tell the computations of one directory apart.</summary>
    public static string Digits(ulong computation) => ((uint)computation).ToString("x8");
}

using Dormouse.Protocol.Programs;

namespace Dormouse.Launcher.Launch;

/// <summary>Whether our library can live in an ELF executable, in words for who launches it.</summary>
internal static class ElfFile
{
    /// <param name="start">The beginning of the file.</param>
    /// <returns>Why not, to follow the file's name in a sentence; null: nothing speaks against it.</returns>
    public static string? Refusal(ReadOnlySpan<byte> start) => ElfProgram.KindOf(start) switch
    {
        ProgramKind.NotElf => "is neither an executable of this system nor a script that begins with #!. Name its interpreter, such as: dmlaunch sh FILE.",
        ProgramKind.Incomplete => "is cut off: it has no complete ELF header. Build or copy it again.",
        ProgramKind.ThirtyTwoBits => "is a 32-bit program. Build it for 64 bits, or start it without dmlaunch.",
        ProgramKind.OtherProcessor => "is for another kind of processor than x86-64. Build it for this one.",
        ProgramKind.Static => "is a static program: our library cannot be loaded into it. Link it dynamically, or start it without dmlaunch.",
        ProgramKind.OtherLibc => "is linked with musl or another C library; only programs of glibc can be checkpointed. Build it on this system, or start it without dmlaunch.",
        _ => null,
    };
}

namespace Dormouse.Launcher.Interop;

/// <summary>errno values that are told apart; see errno(3), asm-generic/errno-base.h.</summary>
internal enum Errno
{
    None = 0,
    EPERM = 1,
    ENOENT = 2,
    ENOEXEC = 8,
    EACCES = 13,
    ENOTDIR = 20,
    EROFS = 30,
}

internal static class ErrnoText
{
    /// <summary>What strerror(3) says, such as "Permission denied".</summary>
    public static string Say(this Errno error) => System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage((int)error);
}

using System.Runtime.InteropServices;
using Dormouse.Protocol.Image;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>Which files the standard streams of dmlaunch were: "dev:ino,dev:ino,dev:ino". After a restart those of dmrestart.</summary>
internal static unsafe class LaunchStdio
{
    private static string? s_text;

    public static string Text
    {
        get
        {
            byte* text = Shim.Self()->Stdio;
            return s_text ??= text == null ? "" : KernelText.FromBytes(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
        }

        set => s_text = value;
    }
}

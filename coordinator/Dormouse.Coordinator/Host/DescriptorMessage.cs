using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dormouse.Coordinator.Host;

/// <summary>Gives another process an open file, SCM_RIGHTS of unix(7); .NET has no call for that.</summary>
internal static unsafe partial class DescriptorMessage
{
    private const int SolSocket = 1, ScmRights = 1, DontWait = 0x40, NoSignal = 0x4000;

    /// <summary>Sends one byte and the descriptor over a connected socket. Never waits; false: it cannot be sent.</summary>
    public static bool Send(Socket socket, SafeFileHandle file)
    {
        byte nothing = 0;
        Part part = new() { Start = &nothing, Bytes = 1 };
        Control control = new() { Bytes = 16 + sizeof(int), Level = SolSocket, Type = ScmRights, Descriptor = (int)file.DangerousGetHandle() };
        Header header = new() { Parts = &part, PartCount = 1, Control = &control, ControlBytes = (nuint)sizeof(Control) };
        return sendmsg((int)socket.Handle, &header, DontWait | NoSignal) == 1;
    }

    [LibraryImport("libc")]
    private static partial nint sendmsg(int socket, Header* message, int flags);

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Part
    {
        public byte* Start;
        public nuint Bytes;
    }

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        public void* Name;
        public uint NameBytes;
        public Part* Parts;
        public nuint PartCount;
        public Control* Control;
        public nuint ControlBytes;
        public int Flags;
    }

    /// <summary>struct cmsghdr with one descriptor; <see cref="Bytes"/> does not count what follows it for alignment.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 24)]
    private struct Control
    {
        public nuint Bytes;
        public int Level;
        public int Type;
        public int Descriptor;
    }
}

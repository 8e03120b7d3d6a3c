using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Dormouse.Launcher.Ssh;

/// <summary>A TCP socket of the kernel's, which another program will take over.</summary>
/// <remarks>.NET's own sockets may start threads for what waits, and a thread that is just beginning when this process becomes another
/// program complains on standard error.</remarks>
internal sealed unsafe partial class RelaySocket : IDisposable
{
    private const int StreamCloseOnExec = 1 | 0x80000; // SOCK_STREAM | SOCK_CLOEXEC
    private const int CloseOnExec = 0x80000;
    private const int GetFlags = 3, SetFlags = 4, NonBlocking = 0x800; // F_GETFL, F_SETFL, O_NONBLOCK
    private const int SolSocket = 1, SoError = 4, SoReceiveTimeout = 20;
    private const int IpProtoTcp = 6, TcpNoDelay = 1;
    private const int IpProtoIpv6 = 41, Ipv6Only = 26;
    private const int InProgress = 115;
    private const short PollIn = 1, PollOut = 4;
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL

    private RelaySocket(int descriptor) => Descriptor = descriptor;

    public int Descriptor { get; private set; }

    /// <summary>Listens on a port that the kernel picks. Null: this host has no such addresses.</summary>
    public static RelaySocket? Listen(IPAddress address)
    {
        RelaySocket socket = new(NewSocket((int)Family(address), StreamCloseOnExec, 0));
        int on = 1;
        if (address.AddressFamily == AddressFamily.InterNetworkV6) _ = SetOption(socket.Descriptor, IpProtoIpv6, Ipv6Only, &on, sizeof(int));
        byte[] name = Name(new IPEndPoint(address, 0));
        fixed (byte* bytes = name)
        {
            if (socket.Descriptor >= 0 && Bind(socket.Descriptor, bytes, name.Length) == 0 && Listen(socket.Descriptor, 4) == 0) return socket;
        }

        socket.Dispose();
        return null;
    }

    /// <summary>The port it listens on.</summary>
    public int Port
    {
        get
        {
            byte* name = stackalloc byte[28];
            int length = 28;
            return GetName(Descriptor, name, &length) == 0 ? (name[2] << 8) | name[3] : 0;
        }
    }

    /// <summary>Whether a pipe has something to read, or has come to its end.</summary>
    public static bool IsReadable(SafeHandle pipe)
    {
        PollEntry entry = new() { Descriptor = (int)pipe.DangerousGetHandle(), Events = PollIn };
        return Poll(&entry, 1, 0) > 0;
    }

    /// <summary>The next connection to any of these; null when none comes in time.</summary>
    /// <param name="receiving">How long it may take to say something.</param>
    public static RelaySocket? Accept(IReadOnlyList<RelaySocket> listeners, TimeSpan patience, TimeSpan receiving)
    {
        PollEntry[] entries = [.. listeners.Select(listener => new PollEntry { Descriptor = listener.Descriptor, Events = PollIn })];
        fixed (PollEntry* at = entries)
        {
            if (Poll(at, (ulong)entries.Length, Milliseconds(patience)) <= 0) return null;
        }

        int listening = Array.Find(entries, entry => entry.Returned != 0).Descriptor;
        int descriptor = Accept(listening, null, null, CloseOnExec);
        return descriptor < 0 ? null : new RelaySocket(descriptor).Prepare(receiving);
    }

    /// <summary>A connection to this endpoint; null when it does not answer.</summary>
    public static RelaySocket? Connect(IPEndPoint endpoint, TimeSpan patience)
    {
        RelaySocket socket = new(NewSocket((int)Family(endpoint.Address), StreamCloseOnExec, 0));
        byte[] name = Name(endpoint);
        int flags = Fcntl(socket.Descriptor, GetFlags, 0);
        _ = Fcntl(socket.Descriptor, SetFlags, flags | NonBlocking);
        fixed (byte* bytes = name)
        {
            bool isConnected = Connect(socket.Descriptor, bytes, name.Length) == 0 || (Marshal.GetLastPInvokeError() == InProgress && socket.IsConnectedWithin(patience));
            _ = Fcntl(socket.Descriptor, SetFlags, flags);
            if (isConnected) return socket.Prepare(patience);
        }

        socket.Dispose();
        return null;
    }

    public bool TrySend(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* at = bytes) return Send(Descriptor, at, (nuint)bytes.Length, NoSignal) == bytes.Length;
    }

    public bool TryReceive(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint count;
            fixed (byte* at = bytes) count = Receive(Descriptor, at, (nuint)bytes.Length, 0);
            if (count <= 0) return false;
            bytes = bytes[(int)count..];
        }

        return true;
    }

    /// <summary>From now on it waits as long as it takes.</summary>
    public void WaitForEver() => SetReceiveTimeout(TimeSpan.Zero);

    public void Dispose()
    {
        if (Descriptor >= 0) _ = Close(Descriptor);
        Descriptor = -1;
    }

    private RelaySocket Prepare(TimeSpan patience)
    {
        int on = 1;
        _ = SetOption(Descriptor, IpProtoTcp, TcpNoDelay, &on, sizeof(int));
        SetReceiveTimeout(patience);
        return this;
    }

    private void SetReceiveTimeout(TimeSpan time)
    {
        long* value = stackalloc long[2] { (long)time.TotalSeconds, 0 };
        _ = SetOption(Descriptor, SolSocket, SoReceiveTimeout, value, 2 * sizeof(long));
    }

    private bool IsConnectedWithin(TimeSpan patience)
    {
        PollEntry entry = new() { Descriptor = Descriptor, Events = PollOut };
        int error = 0, length = sizeof(int);
        return Poll(&entry, 1, Milliseconds(patience)) > 0 && GetOption(Descriptor, SolSocket, SoError, &error, &length) == 0 && error == 0;
    }

    private static int Milliseconds(TimeSpan time) => (int)Math.Clamp(time.TotalMilliseconds, 0, int.MaxValue);

    private static byte[] Name(IPEndPoint endpoint)
    {
        SocketAddress address = endpoint.Serialize();
        return address.Buffer.Span[..address.Size].ToArray();
    }

    /// <summary>AF_INET or AF_INET6 of Linux.</summary>
    private static ushort Family(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? (ushort)2 : (ushort)10;

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "socket")]
    private static partial int NewSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind")]
    private static partial int Bind(int descriptor, byte* name, int length);

    [LibraryImport("libc", EntryPoint = "listen")]
    private static partial int Listen(int descriptor, int backlog);

    [LibraryImport("libc", EntryPoint = "getsockname")]
    private static partial int GetName(int descriptor, byte* name, int* length);

    [LibraryImport("libc", EntryPoint = "accept4")]
    private static partial int Accept(int descriptor, byte* name, int* length, int flags);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int descriptor, byte* name, int length);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(PollEntry* entries, ulong count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    private static partial int SetOption(int descriptor, int level, int option, void* value, int length);

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    private static partial int GetOption(int descriptor, int level, int option, void* value, int* length);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "send")]
    private static partial nint Send(int descriptor, byte* bytes, nuint count, int flags);

    [LibraryImport("libc", EntryPoint = "recv")]
    private static partial nint Receive(int descriptor, byte* bytes, nuint count, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}

// World: restored process. Single-threaded and never blocking in one direction only, so that no two members wait for each other.
using System.Globalization;
using Dormouse.Runtime.Interop;
using Dormouse.Runtime.Sockets;

namespace Dormouse.Runtime.Descriptors;

/// <summary>
/// Members of one host give each other descriptors: a datagram socket for each, with an abstract name made of the restart's
/// session, and SCM_RIGHTS (unix(7)).
/// </summary>
internal sealed unsafe class DescriptorExchange : IDisposable
{
    private const int DeadlineMilliseconds = 60000;
    private const int IdBytes = 24;
    private const int ScmRights = 1;
    private readonly ulong _session;
    private int _socket;
    private readonly Dictionary<DescriptionId, int> _received = [];
    private readonly List<DescriptionId> _expected = [];
    private readonly List<(uint Member, DescriptionId Id, int Fd)> _unsent = [];

    private DescriptorExchange(ulong session, int socket)
    {
        _session = session;
        _socket = socket;
    }

    public static DescriptorExchange Open(ulong session, uint member)
    {
        int socket = (int)Kernel.Call(SystemCall.Socket, Constant.AF_UNIX, Constant.SOCK_DGRAM | Constant.SOCK_CLOEXEC | Constant.SOCK_NONBLOCK, 0);
        socket = DescriptorNumbers.Raise(socket);
        byte[] address = Address(session, member);
        fixed (byte* at = address)
        {
            long error = Kernel.Call(SystemCall.Bind, socket, (long)at, address.Length);
            return error == 0
                ? new DescriptorExchange(session, socket)
                : throw new CheckpointException($"cannot open the channel between restored processes: {Errno.Text(error)}. Run dmrestart again.");
        }
    }

    /// <summary>Gives <paramref name="member"/> a copy of <paramref name="fd"/>, which stays open until <see cref="Complete"/>.</summary>
    public void Send(uint member, DescriptionId id, int fd)
    {
        _unsent.Add((member, id, fd));
        Pump();
    }

    public void Expect(DescriptionId id)
    {
        if (!_expected.Contains(id))
        {
            _expected.Add(id);
        }
    }

    /// <summary>Waits until all is sent and all that is expected has come.</summary>
    public void Complete()
    {
        long deadline = Kernel.Clock(Constant.CLOCK_MONOTONIC) + (DeadlineMilliseconds * 1_000_000L);
        for (; ; )
        {
            Pump();
            if (_unsent.Count == 0 && Missing() == 0)
            {
                return;
            }

            if (Kernel.Clock(Constant.CLOCK_MONOTONIC) > deadline)
            {
                throw new CheckpointException($"waited {DeadlineMilliseconds / 1000} s for descriptors of other processes ({_unsent.Count} not taken, {Missing()} not come). Run dmrestart again.");
            }

            long poll = (uint)_socket | ((long)Constant.POLLIN << 32);
            Kernel.Call(SystemCall.Poll, (long)&poll, 1, _unsent.Count == 0 ? 100 : 1);
        }
    }

    /// <summary>The descriptor that came under this name; it stays ours to close.</summary>
    public int Take(DescriptionId id) => _received[id];

    public int Descriptor => _socket;

    /// <summary>Gives its number to the program, who has these.</summary>
    public void MoveOutOf(List<int> taken) => _socket = DescriptorNumbers.MoveOutOf(_socket, taken);

    public void Dispose()
    {
        if (_socket < 0)
        {
            return;
        }

        foreach (int fd in _received.Values)
        {
            Kernel.Close(fd);
        }

        Kernel.Close(_socket);
        _socket = -1;
    }

    private int Missing()
    {
        int missing = 0;
        foreach (DescriptionId id in _expected)
        {
            missing += _received.ContainsKey(id) ? 0 : 1;
        }

        return missing;
    }

    private void Pump()
    {
        while (TryReceive())
        {
        }

        while (_unsent.Count > 0 && TrySend(_unsent[0]))
        {
            _unsent.RemoveAt(0);
        }
    }

    // struct msghdr: name, name length, iov, iov count, control, control length, flags; 56 bytes.
    private bool TrySend((uint Member, DescriptionId Id, int Fd) item)
    {
        byte[] address = Address(_session, item.Member);
        ulong* payload = stackalloc ulong[] { item.Id.High, item.Id.Low, item.Id.Role };
        long* control = stackalloc long[3];
        control[0] = 20; // cmsg_len: header 16 + one descriptor
        ((int*)control)[2] = Constant.SOL_SOCKET;
        ((int*)control)[3] = ScmRights;
        ((int*)control)[4] = item.Fd;
        fixed (byte* name = address)
        {
            long* vector = stackalloc long[] { (long)payload, IdBytes };
            long* message = stackalloc long[] { (long)name, address.Length, (long)vector, 1, (long)control, 24, 0 };
            long sent = Kernel.Call(SystemCall.SendMsg, _socket, (long)message, Constant.MSG_DONTWAIT | Constant.MSG_NOSIGNAL);
            return sent switch
            {
                >= 0 => true,
                -Errno.TryAgain => false,
                _ => throw new CheckpointException($"member {item.Member.ToString(CultureInfo.InvariantCulture)} cannot be given a descriptor: {Errno.Text(sent)}. Run dmrestart again."),
            };
        }
    }

    private bool TryReceive()
    {
        ulong* payload = stackalloc ulong[3];
        long* control = stackalloc long[4];
        long* vector = stackalloc long[] { (long)payload, IdBytes };
        long* message = stackalloc long[] { 0, 0, (long)vector, 1, (long)control, 32, 0 };
        long got = Kernel.Call(SystemCall.RecvMsg, _socket, (long)message, Constant.MSG_DONTWAIT | Constant.MSG_CMSG_CLOEXEC);
        if (got < 0)
        {
            return false;
        }

        if (got == IdBytes && message[5] >= 20)
        {
            int fd = DescriptorNumbers.Raise(((int*)control)[4]);
            var id = new DescriptionId(payload[0], payload[1], payload[2]);
            if (!_received.TryAdd(id, fd))
            {
                Kernel.Close(fd);
            }
        }

        return true;
    }

    private static byte[] Address(ulong session, uint member)
    {
        string name = "dormouse-" + session.ToString("x16", CultureInfo.InvariantCulture) + "-" + member.ToString(CultureInfo.InvariantCulture);
        return SocketCalls.AbstractAddress(name);
    }
}

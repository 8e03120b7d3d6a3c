// World: Frozen (take), restored process and Frozen (put).
using System;
using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>
/// What is on its way through a pseudo-terminal, in both directions. It can only be taken out and put in again, which a
/// checkpoint therefore does for the program that goes on, and a restart for the one that comes back.
/// </summary>
/// <remarks>How the kernel keeps it: drivers/tty/n_tty.c, drivers/tty/pty.c.</remarks>
internal sealed unsafe class PtyContents
{
    private const int DeadlineMilliseconds = 1000;
    private const int StopMilliseconds = 100;
    private const uint FlowControl = 0x540A; // TCXONC
    private const int OutputOff = 0, OutputOn = 1;
    private const byte EndOfFileMark = 0;
    private byte[] _input = [];
    private byte[] _output = [];
    private bool _isStopped;

    /// <summary>The kernel would not let us read what was typed.</summary>
    public bool LosesInput { get; private set; }

    /// <summary>Input first: what the terminal has not looked at yet is echoed now and then belongs to the output.</summary>
    public void Take(int master, int slave, Termios termios)
    {
        // Only a line that is complete can be read in canonical mode. What is in the queue stays when the mode changes,
        // and an end of file is a NUL in it.
        bool isCanonical = (termios.Local & Termios.Canonical) != 0;
        if (isCanonical)
        {
            Termios open = termios.Clone();
            open.Local &= ~Termios.Canonical;
            open.SetCharacter(Termios.Minimum, 1);
            open.SetCharacter(Termios.Time, 0);
            open.ApplyTo(master);
        }

        _input = ReadAll(slave, out long error);
        LosesInput = error == -Errno.InputOutput;
        if (isCanonical)
        {
            termios.ApplyTo(master);
        }

        int flags = Kernel.Fcntl(master, Constant.F_GETFL);
        Kernel.Fcntl(master, Constant.F_SETFL, flags | Constant.O_NONBLOCK);
        _output = ReadAll(master, out _);
        Kernel.Fcntl(master, Constant.F_SETFL, flags);
        // The queue is empty now: if there is no room, then because of ^S or tcflow(3).
        _isStopped = IsStopped(slave);
    }

    /// <summary>Puts everything where it was, and the settings, too.</summary>
    public void Put(int master, int slave, Termios termios)
    {
        if (_output.Length + _input.Length == 0 && (!_isStopped || IsStopped(slave)))
        {
            return;
        }

        Termios plain = termios.Clone();
        (byte stop, byte start, byte endOfFile) = UnusedCharacters(termios, out bool hasKeys);
        // A line that has been edited already must not be edited again; only its end counts.
        plain.Input = hasKeys ? Termios.FlowControl : 0;
        plain.Output = 0;
        plain.Local &= Termios.Canonical | Termios.Extended;
        foreach (int character in (ReadOnlySpan<int>)[Termios.Erase, Termios.Kill, Termios.Reprint, Termios.WordErase, Termios.Literal])
        {
            plain.SetCharacter(character, 0);
        }

        plain.SetCharacter(Termios.EndOfFile, endOfFile);
        plain.SetCharacter(Termios.Stop, stop);
        plain.SetCharacter(Termios.Start, start);
        plain.ApplyTo(master);
        if (_isStopped)
        {
            SwitchOutput(slave, false);
            SwitchOutput(slave, true);
        }

        WriteAll(slave, _output);
        WriteAll(master, (plain.Local & Termios.Canonical) != 0 ? WithMarks(endOfFile) : _input);
        AwaitInput(master, slave, stop, start, hasKeys);
        termios.ApplyTo(master);
        if (_isStopped && !IsStopped(slave))
        {
            SwitchOutput(slave, false);
        }
    }

    // A thread of the kernel looks at the input in its own time, and the settings of the moment are for what it looks at. When it
    // has come to the stop key, it has seen all.
    private void AwaitInput(int master, int slave, byte stop, byte start, bool hasKeys)
    {
        if (!hasKeys)
        {
            Kernel.Sleep(StopMilliseconds);
            return;
        }

        WriteAll(master, [stop]);
        Await(slave, true);
        if (!_isStopped)
        {
            WriteAll(master, [start]);
            Await(slave, false);
        }
    }

    private static bool IsStopped(int slave) => (Poll(slave, Constant.POLLOUT) & Constant.POLLOUT) == 0;

    private static void SwitchOutput(int slave, bool isOn) => Kernel.Call(SystemCall.Ioctl, slave, FlowControl, isOn ? OutputOn : OutputOff);

    private static void Await(int slave, bool isStopped)
    {
        for (int waited = 0; IsStopped(slave) != isStopped && waited < StopMilliseconds; waited++)
        {
            Kernel.Sleep(1);
        }
    }

    // Three that mean nothing in this input.
    private (byte Stop, byte Start, byte EndOfFile) UnusedCharacters(Termios termios, out bool areFound)
    {
        Span<byte> found = stackalloc byte[3];
        int count = 0;
        for (int value = 1; value <= byte.MaxValue && count < found.Length; value++)
        {
            byte character = (byte)value;
            bool endsLine = value == '\n' || character == termios.Character(Termios.EndOfLine) || character == termios.Character(Termios.SecondEndOfLine);
            if (!endsLine && Array.IndexOf(_input, character) < 0)
            {
                found[count++] = character;
            }
        }

        areFound = count == found.Length;
        return (found[0], found[1], found[2]);
    }

    private byte[] WithMarks(byte endOfFile)
    {
        byte[] marked = _input.AsSpan().ToArray();
        marked.AsSpan().Replace(EndOfFileMark, endOfFile);
        return marked;
    }

    private static byte[] ReadAll(int fd, out long error)
    {
        var pieces = new List<byte>();
        byte[] buffer = new byte[4096];
        long got;
        while ((got = Kernel.Read(fd, buffer)) > 0)
        {
            pieces.AddRange(buffer.AsSpan(0, (int)got));
        }

        error = got;
        return pieces.ToArray();
    }

    // The kernel moves what is written from one buffer to the next in a thread of its own: there may be no room for a moment.
    private static void WriteAll(int fd, ReadOnlySpan<byte> data)
    {
        int flags = Kernel.Fcntl(fd, Constant.F_GETFL);
        Kernel.Fcntl(fd, Constant.F_SETFL, flags | Constant.O_NONBLOCK);
        for (int waited = 0; !data.IsEmpty && waited < DeadlineMilliseconds;)
        {
            long written = Kernel.Write(fd, data);
            if (written > 0)
            {
                data = data[(int)written..];
                continue;
            }

            Kernel.Sleep(1);
            waited++;
        }

        Kernel.Fcntl(fd, Constant.F_SETFL, flags);
    }

    /// <summary>What poll(2) says at once.</summary>
    public static int Poll(int fd, short events)
    {
        long poll = (uint)fd | ((long)events << 32);
        Kernel.Call(SystemCall.Poll, (long)&poll, 1, 0);
        return (int)(poll >> 48) & 0xFFFF;
    }
}

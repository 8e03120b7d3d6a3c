using Dormouse.Runtime.Interop;

namespace Dormouse.Runtime.Descriptors;

/// <summary>Terminal settings: struct termios2 of asm-generic/termbits.h, 44 bytes.</summary>
/// <remarks>u32 input | u32 output | u32 control | u32 local flags | u8 line | u8[19] characters | u32 input speed | u32 output speed.</remarks>
internal sealed unsafe class Termios
{
    public const int Erase = 2, Kill = 3, EndOfFile = 4, Time = 5, Minimum = 6, Start = 8, Stop = 9, EndOfLine = 11, Reprint = 12, WordErase = 14, Literal = 15, SecondEndOfLine = 16;
    public const uint FlowControl = 0x400 /* IXON */, Canonical = 2 /* ICANON */, Extended = 0x8000 /* IEXTEN */;
    private const uint Get = 0x802C542A, Set = 0x402C542B;
    private const int Bytes = 44, CharactersOffset = 17;
    private readonly byte[] _bytes = new byte[Bytes];

    public uint Input
    {
        get => this[0];
        set => this[0] = value;
    }

    public uint Output
    {
        get => this[1];
        set => this[1] = value;
    }

    public uint Local
    {
        get => this[3];
        set => this[3] = value;
    }

    public static Termios Of(int fd)
    {
        var termios = new Termios();
        fixed (byte* at = termios._bytes)
        {
            Kernel.Ioctl(fd, Get, at);
        }

        return termios;
    }

    public Termios Clone()
    {
        var clone = new Termios();
        _bytes.CopyTo(clone._bytes, 0);
        return clone;
    }

    /// <summary>At once, without waiting for output and without throwing anything away (TCSANOW).</summary>
    public void ApplyTo(int fd)
    {
        fixed (byte* at = _bytes)
        {
            Kernel.Ioctl(fd, Set, at);
        }
    }

    public byte Character(int index) => _bytes[CharactersOffset + index];

    public void SetCharacter(int index, byte value) => _bytes[CharactersOffset + index] = value;

    private uint this[int word]
    {
        get => System.BitConverter.ToUInt32(_bytes, word * sizeof(uint));
        set => System.BitConverter.TryWriteBytes(System.MemoryExtensions.AsSpan(_bytes, word * sizeof(uint)), value);
    }
}

using System.Buffers.Binary;

namespace Dormouse.Protocol;

/// <summary>
/// Collects received bytes and cuts them into frames. Use: <c>n = recv(buffer.Space(4096)); buffer.Advance(n);
/// while (buffer.TryTake(out kind, out payload)) …</c>. Memory grows with what has arrived, not with what a header promises.
/// </summary>
public sealed class FrameBuffer(int capacity = 4096)
{
    private byte[] _bytes = new byte[capacity];
    private int _start;
    private int _end;

    /// <summary>Longest payload accepted, whatever its kind. Lower until the peer has proved who it is.</summary>
    public int MaximumPayloadBytes { get; set; } = Frame.MaximumInventoryBytes;

    /// <summary>Received bytes that are not cut yet.</summary>
    public int Pending => _end - _start;

    /// <summary>Room for at least <paramref name="minimum"/> received bytes. Invalidates payloads taken before.</summary>
    public Memory<byte> Space(int minimum)
    {
        if (_start == _end) _start = _end = 0;
        if (_bytes.Length - _end < minimum && _start > 0)
        {
            Buffer.BlockCopy(_bytes, _start, _bytes, 0, Pending);
            (_start, _end) = (0, Pending);
        }

        if (_bytes.Length - _end < minimum) Array.Resize(ref _bytes, Math.Max(_end + minimum, _bytes.Length * 2));
        return _bytes.AsMemory(_end);
    }

    /// <summary>Says that <paramref name="count"/> bytes have been put into <see cref="Space"/>.</summary>
    public void Advance(int count) => _end += count;

    /// <summary>Takes the next whole frame; its payload is valid until the next call of <see cref="Space"/>.</summary>
    /// <exception cref="ProtocolException">The frame is longer than its kind may be.</exception>
    public bool TryTake(out FrameKind kind, out ReadOnlySpan<byte> payload)
    {
        kind = FrameKind.None;
        payload = default;
        if (Pending < Frame.HeaderBytes) return false;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(_start));
        FrameKind next = (FrameKind)BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(_start + 4));
        if (length > (uint)Math.Min(MaximumPayloadBytes, Frame.MaximumBytes(next)))
            throw new ProtocolException("A frame is longer than its kind may be.");
        if (Pending - Frame.HeaderBytes < (int)length) return false;
        kind = next;
        payload = _bytes.AsSpan(_start + Frame.HeaderBytes, (int)length);
        _start += Frame.HeaderBytes + (int)length;
        return true;
    }
}

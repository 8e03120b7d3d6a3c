namespace Dormouse.Protocol;

/// <summary>Who is connecting.</summary>
public enum Role : byte
{
    Member = 1,
    Command = 2,
}

/// <summary>
/// Proof that a peer knows the computation's token, without sending it: HMAC-SHA-256 over both nonces.
/// The token is 32 random bytes, passed around as 64 hex digits.
/// </summary>
public static class TokenProof
{
    public const int TokenBytes = 32;
    public const int NonceBytes = 16;
    public const int ProofBytes = 32;

    /// <summary>The client's: HMAC(token, "client" | server nonce | client nonce | role).</summary>
    public static byte[] Client(ReadOnlySpan<byte> token, ReadOnlySpan<byte> serverNonce, ReadOnlySpan<byte> clientNonce, Role role)
        => Prove(token, "client"u8, serverNonce, clientNonce, [(byte)role]);

    /// <summary>The server's: HMAC(token, "server" | client nonce | server nonce).</summary>
    public static byte[] Server(ReadOnlySpan<byte> token, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> serverNonce)
        => Prove(token, "server"u8, clientNonce, serverNonce, []);

    /// <summary>Compares in a time that does not depend on where the two differ.</summary>
    public static bool Matches(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> received)
    {
        if (expected.Length != received.Length) return false;
        int difference = 0;
        for (int i = 0; i < expected.Length; i++) difference |= expected[i] ^ received[i];
        return difference == 0;
    }

    /// <summary>Decodes 64 hex digits.</summary>
    public static bool TryParseToken(ReadOnlySpan<char> text, out byte[] token)
    {
        token = new byte[TokenBytes];
        if (text.Length != 2 * TokenBytes) return false;
        for (int i = 0; i < token.Length; i++)
        {
            int high = HexDigit(text[2 * i]), low = HexDigit(text[(2 * i) + 1]);
            if (high < 0 || low < 0) return false;
            token[i] = (byte)((high << 4) | low);
        }

        return true;
    }

    /// <summary>HMAC-SHA-256, RFC 2104.</summary>
    public static byte[] Hmac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message)
    {
        Span<byte> inner = stackalloc byte[Sha256.BlockBytes];
        Span<byte> outer = stackalloc byte[Sha256.BlockBytes];
        inner.Clear();
        if (key.Length > Sha256.BlockBytes) Sha256.Hash(key, [], inner);
        else key.CopyTo(inner);
        for (int i = 0; i < inner.Length; i++)
        {
            outer[i] = (byte)(inner[i] ^ 0x5c);
            inner[i] ^= 0x36;
        }

        Span<byte> hash = stackalloc byte[Sha256.HashBytes];
        Sha256.Hash(inner, message, hash);
        byte[] proof = new byte[ProofBytes];
        Sha256.Hash(outer, hash, proof);
        return proof;
    }

    private static byte[] Prove(
        ReadOnlySpan<byte> token, ReadOnlySpan<byte> side, ReadOnlySpan<byte> nonce1, ReadOnlySpan<byte> nonce2, ReadOnlySpan<byte> tail)
    {
        MessageWriter text = new(64);
        text.WriteBytes(side);
        text.WriteBytes(nonce1);
        text.WriteBytes(nonce2);
        text.WriteBytes(tail);
        return Hmac(token, text.Written);
    }

    private static int HexDigit(char digit) => digit switch
    {
        >= '0' and <= '9' => digit - '0',
        >= 'a' and <= 'f' => digit - 'a' + 10,
        >= 'A' and <= 'F' => digit - 'A' + 10,
        _ => -1,
    };
}

using System.Security.Cryptography;
using Dormouse.Protocol;

namespace Dormouse.UnitTests.Protocol;

internal sealed class TokenProofTests
{
    [Test]
    public void Hmac_IsWhatTheFrameworkComputes([Values(0, 1, 32, 63, 64, 65, 131)] int keyBytes, [Values(0, 1, 55, 56, 63, 64, 119, 120, 1000)] int messageBytes)
    {
        byte[] key = [.. Enumerable.Range(0, keyBytes).Select(value => (byte)(value * 7))];
        byte[] message = [.. Enumerable.Range(0, messageBytes).Select(value => (byte)(value * 13))];

        Assert.That(TokenProof.Hmac(key, message), Is.EqualTo(HMACSHA256.HashData(key, message)));
    }

    [Test]
    public void Proof_DependsOnEverything()
    {
        byte[] token = new byte[32], other = [.. token];
        other[31] = 1;
        byte[] nonce = new byte[16], nonce2 = [.. nonce];
        nonce2[0] = 1;
        byte[] proof = TokenProof.Client(token, nonce, nonce2, Role.Member);

        Assert.That(TokenProof.Matches(proof, TokenProof.Client(token, nonce, nonce2, Role.Member)), Is.True);
        Assert.That(TokenProof.Matches(proof, TokenProof.Client(other, nonce, nonce2, Role.Member)), Is.False);
        Assert.That(TokenProof.Matches(proof, TokenProof.Client(token, nonce2, nonce2, Role.Member)), Is.False);
        Assert.That(TokenProof.Matches(proof, TokenProof.Client(token, nonce, nonce, Role.Member)), Is.False);
        Assert.That(TokenProof.Matches(proof, TokenProof.Client(token, nonce, nonce2, Role.Command)), Is.False);
        Assert.That(TokenProof.Matches(proof, TokenProof.Server(token, nonce, nonce2)), Is.False);
        Assert.That(TokenProof.Matches(proof, proof.AsSpan(0, 31)), Is.False);
    }

    [TestCase("", false)]
    [TestCase("00", false)]
    [TestCase("000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F", true)]
    [TestCase("000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1g", false)]
    [TestCase("000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F0", false)]
    public void Token_Is64HexDigits(string text, bool isOne)
    {
        Assert.That(TokenProof.TryParseToken(text, out byte[] token), Is.EqualTo(isOne));
        if (isOne) Assert.That(token, Is.EqualTo(Enumerable.Range(0, 32).Select(value => (byte)value)));
    }
}

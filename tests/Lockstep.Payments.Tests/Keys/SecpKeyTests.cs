using System.Numerics;
using System.Security.Cryptography;
using CsCheck;
using Lockstep.Payments.Keys;

namespace Lockstep.Payments.Tests.Keys;

public sealed class SecpKeyTests
{
    private const string Order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

    /// <summary>The other signature that recovers the same key: n - s, and v flipped.</summary>
    internal static byte[] WithHighS(byte[] signature)
    {
        var order = new BigInteger(Convert.FromHexString(Order), isUnsigned: true, isBigEndian: true);
        var s = new BigInteger(signature.AsSpan(32, 32), isUnsigned: true, isBigEndian: true);
        byte[] high = (order - s).ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. signature.AsSpan(0, 32), .. new byte[32 - high.Length], .. high, (byte)(signature[64] ^ 1)];
    }

    [Fact]
    public void Signatures_are_deterministic_canonical_and_recover_their_key()
    {
        Gen.Byte.Array[32].Select(Gen.Byte.Array[32]).Sample((secret, digest) =>
        {
            if (!SecpKey.TryFromSecret(secret, out SecpKey? key))
                return;
            using (key)
            {
                byte[] signature = key!.SignDigest(digest);
                Assert.Equal(signature, key.SignDigest(digest));
                Assert.True(SecpSignature.IsCanonical(signature));
                Assert.True(SecpSignature.TryRecover(digest, signature, out byte[] recovered));
                Assert.Equal(key.PublicKey.ToArray(), recovered);

                byte[] high = WithHighS(signature);
                Assert.False(SecpSignature.IsCanonical(high));
                Assert.True(SecpSignature.TryRecover(digest, high, out recovered));
                Assert.Equal(key.PublicKey.ToArray(), recovered);

                digest[0] ^= 1;
                Assert.False(SecpSignature.TryRecover(digest, signature, out recovered) && recovered.AsSpan().SequenceEqual(key.PublicKey.Span));
            }
        }, iter: 60);
    }

    [Fact]
    public void Junk_signatures_recover_nothing_and_never_throw()
    {
        Gen.Byte.Array[0, 64].Sample(junk => Assert.False(SecpSignature.TryRecover(new byte[32], junk, out _)), iter: 200);
        Gen.Byte.Array[65].Sample(junk =>
        {
            bool recovered = SecpSignature.TryRecover(new byte[32], junk, out byte[] key);
            Assert.Equal(recovered ? 65 : 0, key.Length);
        }, iter: 100);
        byte[] zero = new byte[65];
        Assert.False(SecpSignature.TryRecover(new byte[32], zero, out _));
        byte[] orderAsS = [.. new byte[31], 1, .. Convert.FromHexString(Order), 0];
        Assert.False(SecpSignature.TryRecover(new byte[32], orderAsS, out _));
        byte[] badRecovery = [.. new byte[31], 1, .. new byte[31], 1, 27];
        Assert.False(SecpSignature.TryRecover(new byte[32], badRecovery, out _));
        Assert.False(SecpSignature.TryRecover(new byte[31], badRecovery, out _));
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData(Order)]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("01")]
    public void What_is_no_key_is_refused(string hex)
    {
        Assert.False(SecpKey.TryFromSecret(Convert.FromHexString(hex), out SecpKey? key));
        Assert.Null(key);
        Assert.Throws<ArgumentException>(() => SecpKey.FromSecret(Convert.FromHexString(hex)));
    }

    [Fact]
    public void A_key_is_made_from_the_randomness_given_to_it()
    {
        int calls = 0;
        using SecpKey key = SecpKey.Generate(buffer =>
        {
            // The first draw is no key; the second is.
            buffer.Fill(calls++ == 0 ? (byte)0xff : (byte)1);
        });
        Assert.Equal(2, calls);
        Span<byte> secret = stackalloc byte[32];
        key.CopySecretTo(secret);
        Assert.True(secret.IndexOfAnyExcept((byte)1) < 0);
        using SecpKey random = SecpKey.Generate(RandomNumberGenerator.Fill);
        Assert.NotEqual(key.Address, random.Address);
    }

    [Fact]
    public void A_disposed_key_is_blank_and_refuses_to_sign()
    {
        SecpKey key = Vectors.KeyNamed("A");
        key.Dispose();
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.SignDigest(new byte[32]));
        Assert.Throws<ObjectDisposedException>(() => key.CopySecretTo(new byte[32]));
        byte[] held = (byte[])typeof(SecpKey).GetField("secret", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(key)!;
        Assert.Equal(new byte[32], held);
    }

    [Fact]
    public void Only_32_byte_digests_are_signed()
    {
        using SecpKey key = Vectors.KeyNamed("A");
        Assert.Throws<ArgumentException>(() => key.SignDigest(new byte[31]));
        Assert.Throws<ArgumentException>(() => key.SignDigest(new byte[33]));
    }
}

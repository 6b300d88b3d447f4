using System.Numerics;
using CsCheck;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Tests.Vouchers;

public sealed class VoucherCodecTests
{
    // Lane 1, nonce 10, amount 10, no lock: every field can be found by eye.
    private const string Canonical = "8b4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6";

    /// <summary>Forms the real actor accepts (docs/filecoin.md section 8, decoder-strictness) and our peers do not.</summary>
    [Theory]
    [InlineData("980b4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "40" + "f6" + "1801" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "40" + "f6" + "1b0000000000000001" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "40" + "f6" + "01" + "0a" + "4300000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "590000" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "9800" + "f6")]
    public void Other_spellings_are_the_actors_business_only(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex);
        Assert.True(VoucherCodec.TryDecode(bytes, VoucherReading.AsActor, out SignedVoucher? voucher, out _));
        Assert.Equal(Canonical, Convert.ToHexStringLower(voucher.Encode()));
        Assert.False(VoucherCodec.TryDecode(bytes, VoucherReading.Canonical, out _, out VoucherRefusalReason reason));
        Assert.Equal(VoucherRefusalReason.NotCanonical, reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8b")]
    [InlineData("8b42006400004")]
    [InlineData("9f4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6" + "ff")]
    [InlineData("8a4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80")]
    [InlineData("8c4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6" + "f6")]
    [InlineData(Canonical + "00")]
    [InlineData("8b4200640000" + "f6" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "40" + "80" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "40" + "f6" + "20" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "40" + "f6" + "01" + "0a" + "42020a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "40" + "f6" + "01" + "0a" + "0a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "f6" + "f6")]
    [InlineData("8b4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "40")]
    [InlineData("8b4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "4103")]
    [InlineData("8b4200640000" + "5f40ff" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "60" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200640000" + "c240" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b40" + "0000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4300e400" + "0000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    [InlineData("8b4200641b8000000000000000" + "00" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "80" + "f6")]
    // Declared lengths far beyond the bytes that are there.
    [InlineData("8b4200640000" + "5b7fffffffffffffff")]
    [InlineData("8b4200640000" + "40" + "f6" + "01" + "0a" + "42000a" + "00" + "9b00000000ffffffff")]
    public void What_no_actor_reads_is_refused(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex.Length % 2 == 0 ? hex : hex[..^1]);
        Assert.False(VoucherCodec.TryDecode(bytes, VoucherReading.AsActor, out SignedVoucher? voucher, out VoucherRefusalReason reason));
        Assert.Null(voucher);
        Assert.Equal(VoucherRefusalReason.Malformed, reason);
    }

    [Fact]
    public void An_amount_has_at_most_128_bytes()
    {
        string head = "8b4200640000" + "40" + "f6" + "01" + "0a", tail = "00" + "80" + "f6";
        byte[] longest = Convert.FromHexString(head + "5880" + "00" + new string('f', 254) + tail);
        Assert.True(VoucherCodec.TryDecode(longest, VoucherReading.Canonical, out SignedVoucher? voucher, out _));
        Assert.Equal((BigInteger.One << 1016) - 1, voucher.Voucher.Amount.Atto);
        byte[] longer = Convert.FromHexString(head + "5881" + "00" + new string('f', 256) + tail);
        Assert.False(VoucherCodec.TryDecode(longer, VoucherReading.AsActor, out _, out _));
        Assert.Throws<ArgumentException>(() => (voucher.Voucher with { Amount = voucher.Voucher.Amount + new TokenAmount(1) }).SigningBytes());
    }

    [Fact]
    public void Too_long_a_voucher_is_refused_unread() =>
        Assert.False(VoucherCodec.TryDecode(new byte[VoucherCodec.MaxLength + 1], VoucherReading.AsActor, out _, out _));

    [Fact]
    public void Any_voucher_is_read_back()
    {
        Gen<byte[]> bytes = Gen.Byte.Array[0, 70];
        Gen.Select(Gen.ULong, Gen.ULong, Gen.Long, Gen.Long, bytes, Gen.Bool, Gen.Select(Gen.ULong, Gen.ULong).Array[0, 5]).Sample(
            (lane, nonce, min, max, hash, extra, merges) =>
            {
                var voucher = new Voucher
                {
                    Channel = Address.FromActorSeed(hash),
                    TimeLockMin = new Epoch(min),
                    TimeLockMax = new Epoch(max),
                    SecretHash = hash,
                    Extra = extra ? new ExtraCall(Address.FromId(lane >> 1), nonce, hash) : null,
                    Lane = new LaneId(lane),
                    Nonce = new Nonce(nonce),
                    Amount = new TokenAmount(new BigInteger(min) * max),
                    MinSettleHeight = new Epoch(max),
                    Merges = [.. merges.Select(merge => new LaneMerge(new LaneId(merge.Item1), new Nonce(merge.Item2)))],
                };
                var signed = new SignedVoucher(voucher, extra ? null : new Signature(SignatureType.Bls, hash));
                Assert.True(VoucherCodec.TryDecode(signed.Encode(), VoucherReading.Canonical, out SignedVoucher? back, out _));
                Assert.Equal(signed.Encode(), back.Encode());
                Assert.Equal(signed.Signature, back.Signature);
                Assert.Equal(voucher.Merges, back.Voucher.Merges);
                Assert.True(VoucherCodec.TryDecodeText(signed.ToText(), VoucherReading.Canonical, out _, out _));
                Assert.False(VoucherCodec.TryDecode(signed.Encode().AsMemory(..^1), VoucherReading.AsActor, out _, out _));
            });
    }

    [Fact]
    public void Bent_bytes_never_throw_and_read_as_what_they_write()
    {
        byte[] good = Vectors.Vouchers.Each("vouchers").First().Bytes("signed_cbor_hex");
        Gen.Int[0, good.Length - 1].Select(Gen.Byte, Gen.Int[0, good.Length]).Sample((position, value, length) =>
        {
            byte[] bent = [.. good];
            bent[position] = value;
            byte[] cut = bent[..length];
            foreach (byte[] input in new[] { bent, cut })
            {
                if (VoucherCodec.TryDecode(input, VoucherReading.Canonical, out SignedVoucher? voucher, out _))
                    Assert.Equal(input, voucher.Encode());
                else
                    VoucherCodec.TryDecode(input, VoucherReading.AsActor, out _, out _);
            }
        }, iter: 20_000);
    }

    [Theory]
    [InlineData("i0MA8gc=")]
    [InlineData("i0MA 8gc")]
    [InlineData("i0+A8gc")]
    [InlineData("i")]
    [InlineData("")]
    public void Bad_texts_are_refused(string text) =>
        Assert.False(VoucherCodec.TryDecodeText(text, VoucherReading.AsActor, out _, out _));
}

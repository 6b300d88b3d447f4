using System.Text.Json;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Tests.Vouchers;

public sealed class VoucherVectorTests
{
    public static TheoryData<string> Own() => Vectors.Names(Vectors.Vouchers, "vouchers");

    public static TheoryData<string> Published() => Vectors.Names(Vectors.Vouchers, "published_vouchers");

    [Fact]
    public void All_vectors_are_here() => Assert.Equal((19, 4), (Own().Count, Published().Count));

    [Theory]
    [MemberData(nameof(Own))]
    public void Bytes_digest_signature_and_params_equal_the_vector(string name)
    {
        JsonElement vector = Vectors.Named(Vectors.Vouchers, "vouchers", name);
        Voucher voucher = Read(vector.GetProperty("fields"));
        Assert.Equal(vector.Text("unsigned_cbor_hex"), Convert.ToHexStringLower(voucher.SigningBytes()));
        Assert.Equal(vector.Text("signing_digest_blake2b256_hex"), Convert.ToHexStringLower(voucher.SigningDigest()));

        using SecpKey key = Vectors.KeyNamed(vector.Text("signer_key"));
        SignedVoucher signed = voucher.Sign(key);
        Assert.Equal(vector.Text("signature_field_hex"), Convert.ToHexStringLower(signed.Signature!.ToBytes()));
        Assert.Equal(vector.Text("signed_cbor_hex"), Convert.ToHexStringLower(signed.Encode()));
        Assert.Equal(vector.Text("signed_base64url"), signed.ToText());
        Assert.True(signed.TryRecoverSigner(out Address signer));
        Assert.Equal(key.Address, signer);
        var update = new UpdateChannelStateParams(signed, vector.Bytes("secret_hex"));
        Assert.Equal(vector.Text("update_params_cbor_hex"), Convert.ToHexStringLower(update.Encode()));

        Assert.True(VoucherCodec.TryDecode(vector.Bytes("signed_cbor_hex"), VoucherReading.Canonical, out SignedVoucher? decoded, out _));
        Assert.Equal(signed.Encode(), decoded.Encode());
        Assert.Equal((voucher.Channel, voucher.Lane, voucher.Nonce, voucher.Amount), (decoded.Voucher.Channel, decoded.Voucher.Lane, decoded.Voucher.Nonce, decoded.Voucher.Amount));
        Assert.Equal((voucher.TimeLockMin, voucher.TimeLockMax, voucher.MinSettleHeight), (decoded.Voucher.TimeLockMin, decoded.Voucher.TimeLockMax, decoded.Voucher.MinSettleHeight));
        Assert.Equal(voucher.Merges, decoded.Voucher.Merges);
        Assert.True(VoucherCodec.TryDecodeText(vector.Text("signed_base64url"), VoucherReading.Canonical, out _, out _));
        Assert.True(UpdateChannelStateParams.TryDecode(vector.Bytes("update_params_cbor_hex"), out UpdateChannelStateParams? parameters));
        Assert.Equal(vector.Text("secret_hex"), Vectors.Hex(parameters!.Secret));
    }

    [Theory]
    [MemberData(nameof(Published))]
    public void Published_vouchers_are_reproduced(string name)
    {
        JsonElement vector = Vectors.Named(Vectors.Vouchers, "published_vouchers", name);
        Assert.True(VoucherCodec.TryDecode(vector.Bytes("signed_cbor_hex"), VoucherReading.Canonical, out SignedVoucher? signed, out _));
        Assert.Equal(vector.Text("unsigned_cbor_hex"), Convert.ToHexStringLower(signed.Voucher.SigningBytes()));
        Assert.Equal(vector.Text("signing_digest_blake2b256_hex"), Convert.ToHexStringLower(signed.Voucher.SigningDigest()));
        Assert.Equal(vector.Text("signature_hex"), Vectors.Hex(signed.Signature!.Data));
        Assert.True(signed.TryRecoverSigner(out Address signer));
        Assert.Equal(vector.Text("recovered_signer"), signer.ToString());
        if (vector.TryGetProperty("signer_key", out JsonElement keyName))
        {
            using SecpKey key = Vectors.KeyNamed(keyName.GetString()!);
            Assert.Equal(signed.Encode(), signed.Voucher.Sign(key).Encode());
        }
        if (vector.TryGetProperty("update_params_cbor_hex", out JsonElement hex))
            Assert.Equal(hex.GetString(), Convert.ToHexStringLower(new UpdateChannelStateParams(signed, ReadOnlyMemory<byte>.Empty).Encode()));
    }

    [Fact]
    public void A_bls_voucher_is_carried_but_no_signer_is_recovered()
    {
        JsonElement vector = Vectors.Vouchers.Each("bls_vouchers").Single();
        Assert.True(VoucherCodec.TryDecode(vector.Bytes("signed_cbor_hex"), VoucherReading.Canonical, out SignedVoucher? signed, out _));
        Assert.Equal(SignatureType.Bls, signed.Signature!.Type);
        Assert.Equal(vector.Text("signature_hex"), Vectors.Hex(signed.Signature.Data));
        Assert.Equal(vector.Text("unsigned_cbor_hex"), Convert.ToHexStringLower(signed.Voucher.SigningBytes()));
        Assert.Equal(vector.Text("signed_cbor_hex"), Convert.ToHexStringLower(signed.Encode()));
        Assert.False(signed.TryRecoverSigner(out _));
    }

    [Fact]
    public void Keys_have_their_addresses_and_public_keys()
    {
        foreach (JsonElement entry in Vectors.Vouchers.Each("keys"))
        {
            if (entry.Text("type") == "bls")
            {
                Assert.Equal(entry.Text("address_mainnet"), Address.FromBls(entry.Bytes("public_key_hex")).ToString());
                continue;
            }
            using SecpKey key = Vectors.KeyNamed(entry.Text("name"));
            Assert.Equal(entry.Text("public_key_uncompressed_hex"), Vectors.Hex(key.PublicKey));
            Assert.Equal(entry.Text("address_mainnet"), key.Address.ToString(Network.Main));
            Assert.Equal(entry.Text("address_testnet"), key.Address.ToString(Network.Test));
            Assert.Equal(entry.Text("address_bytes_hex"), Vectors.Hex(key.Address.Bytes));
        }
    }

    [Fact]
    public void Secrets_open_their_locks_under_both_hashes()
    {
        foreach (JsonElement entry in Vectors.Vouchers.Each("secrets"))
        {
            byte[] secret = entry.Bytes("secret_hex");
            HashLock blake = new(LockHashKind.Blake2b256, entry.Bytes("blake2b256_hex")), sha = new(LockHashKind.Sha256, entry.Bytes("sha256_hex"));
            Assert.True(blake.OpensWith(secret));
            Assert.True(sha.OpensWith(secret));
            Assert.False(blake.OpensWith([.. secret, 0]));
            Assert.Equal(blake, HashLock.Of(LockHashKind.Blake2b256, secret));
            Assert.NotEqual(blake, new HashLock(LockHashKind.Sha256, entry.Bytes("blake2b256_hex")));
        }
    }

    private static Voucher Read(JsonElement fields)
    {
        Assert.True(Address.TryFromBytes(fields.Bytes("channel_address_hex"), out Address channel));
        Assert.Equal(channel, Address.Parse(fields.Text("channel_address")));
        JsonElement extra = fields.GetProperty("extra");
        ExtraCall? call = null;
        if (extra.ValueKind == JsonValueKind.Object)
        {
            Assert.True(Address.TryFromBytes(extra.Bytes("actor_hex"), out Address actor));
            call = new ExtraCall(actor, extra.Unsigned("method"), extra.Bytes("data_hex"));
        }
        return new Voucher
        {
            Channel = channel,
            TimeLockMin = new Epoch(fields.Signed("time_lock_min")),
            TimeLockMax = new Epoch(fields.Signed("time_lock_max")),
            SecretHash = fields.Bytes("secret_hash_hex"),
            Extra = call,
            Lane = new LaneId(fields.Unsigned("lane")),
            Nonce = new Nonce(fields.Unsigned("nonce")),
            Amount = fields.Amount("amount"),
            MinSettleHeight = new Epoch(fields.Signed("min_settle_height")),
            Merges = [.. fields.Each("merges").Select(merge => new LaneMerge(new LaneId(merge.Unsigned("lane")), new Nonce(merge.Unsigned("nonce"))))],
        };
    }
}

using CsCheck;
using Lockstep.Proofs.Tests.Layout;

namespace Lockstep.Proofs.Tests.Statements;

public sealed class StatementTests
{
    private static readonly WindowStatement Honest = Make();

    private static WindowStatement Make()
    {
        using TestWindow window = TestWindow.Create(LockHash.Blake2b256, 1, 300, 64);
        return window.Statement;
    }

    private static WindowStatement With(int chunk, Func<ChunkStatement, ChunkStatement> change) =>
        Honest with { Chunks = [.. Honest.Chunks.Select((c, i) => i == chunk ? change(c) : c)] };

    [Fact]
    public void An_encoding_decodes_to_the_same_statement()
    {
        byte[] bytes = Honest.Encode();
        // 20 + (1 + 6) + 1 + (1 + 33) + 2 + 3 * 116.
        Assert.Equal(412, bytes.Length);
        Assert.True(WindowStatement.TryDecode(bytes, out WindowStatement? decoded, out _));
        Assert.Equal(Honest, decoded);
        Assert.Equal(Honest.GetHashCode(), decoded.GetHashCode());
        Assert.Equal(bytes, decoded.Encode());
    }

    [Fact]
    public void The_encoding_is_the_documented_one()
    {
        byte[] bytes = Honest.Encode();
        ChunkStatement second = Honest.Chunks[1];
        byte[] expected =
        [
            .. "lockstep-statement/1"u8, 6, .. "test/1"u8, 2, 33, .. Honest.ProviderKey.Span, 3, 0,
        ];
        Assert.Equal(expected, bytes[..expected.Length]);
        byte[] chunk =
        [
            0x2c, 1, 0, 0, .. second.Digest.Span, .. second.SealId.Span, .. second.Nonce.Span,
            .. BitConverter.GetBytes(second.FirstCounter), .. second.Lock.Span,
        ];
        Assert.Equal(chunk, bytes[(expected.Length + 116)..(expected.Length + 232)]);
    }

    [Fact]
    public void Every_flipped_bit_is_refused_or_changes_the_statement()
    {
        byte[] bytes = Honest.Encode();
        int refused = 0;
        for (int bit = 0; bit < 8 * bytes.Length; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            if (WindowStatement.TryDecode(bytes, out WindowStatement? decoded, out StatementFault? fault))
            {
                Assert.NotEqual(Honest, decoded);
                Assert.Equal(bytes, decoded.Encode());
            }
            else
            {
                Assert.NotEmpty(fault.Message);
                refused++;
            }

            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        // All of the format name, and the size fields, at least.
        Assert.InRange(refused, 160 + 8 + 8 + 16, 8 * bytes.Length - 3 * 8 * 108);
    }

    [Fact]
    public void Every_truncation_and_extension_is_refused()
    {
        byte[] bytes = Honest.Encode();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(WindowStatement.TryDecode(bytes.AsSpan(0, length), out _, out StatementFault? fault));
            Assert.Equal(length < 20 ? StatementError.WrongFormat : StatementError.Truncated, fault.Error);
        }

        Assert.False(WindowStatement.TryDecode([.. bytes, 0], out _, out StatementFault? trailing));
        Assert.Equal(StatementError.TrailingBytes, trailing.Error);
    }

    [Fact]
    public void Arbitrary_bytes_never_throw() => Gen.Select(Gen.Byte.Array[0, 600], Gen.Bool).Sample((tail, prefixed) =>
    {
        byte[] bytes = prefixed ? [.. "lockstep-statement/1"u8, .. tail] : tail;
        return WindowStatement.TryDecode(bytes, out WindowStatement? decoded, out StatementFault? fault) ? decoded.Encode().AsSpan().SequenceEqual(bytes) : fault is not null;
    }, iter: 20_000);

    [Fact]
    public void A_declared_count_is_not_believed_before_the_bytes_are_there()
    {
        byte[] bytes = [.. "lockstep-statement/1"u8, 1, (byte)'x', 1, 1, 7, 0xff, 0xff];
        Assert.False(WindowStatement.TryDecode(bytes, out _, out StatementFault? fault));
        Assert.Equal(StatementError.ChunkCount, fault.Error);
        bytes[^1] = 4;
        bytes[^2] = 0;
        Assert.False(WindowStatement.TryDecode(bytes, out _, out fault));
        Assert.Equal(StatementError.Truncated, fault.Error);
    }

    public static TheoryData<StatementError, WindowStatement> Faults => new()
    {
        { StatementError.SuiteId, Honest with { SuiteId = string.Empty } },
        { StatementError.SuiteId, Honest with { SuiteId = new string('x', 65) } },
        { StatementError.SuiteId, Honest with { SuiteId = "a b" } },
        { StatementError.SuiteId, Honest with { SuiteId = "caf\u00e9" } },
        { StatementError.LockHash, Honest with { LockHash = 0 } },
        { StatementError.LockHash, Honest with { LockHash = (LockHash)3 } },
        { StatementError.ProviderKey, Honest with { ProviderKey = default } },
        { StatementError.ProviderKey, Honest with { ProviderKey = new byte[129] } },
        { StatementError.ChunkCount, Honest with { Chunks = [] } },
        { StatementError.ChunkCount, Honest with { Chunks = [.. Enumerable.Repeat(Honest.Chunks[0], 1025)] } },
        { StatementError.ChunkLength, With(1, c => c with { Length = 0 }) },
        { StatementError.ChunkLength, With(1, c => c with { Length = -1 }) },
        { StatementError.ChunkLength, With(1, c => c with { Length = (1 << 20) + 1025 }) },
        { StatementError.FieldSize, With(0, c => c with { Digest = new byte[31] }) },
        { StatementError.FieldSize, With(0, c => c with { SealId = new byte[33] }) },
        { StatementError.FieldSize, With(0, c => c with { Nonce = new byte[8] }) },
        { StatementError.FieldSize, With(0, c => c with { Lock = default }) },
        { StatementError.Counter, With(1, c => c with { FirstCounter = uint.MaxValue - 3 }) },
        { StatementError.RepeatedSealId, With(2, c => c with { SealId = Honest.Chunks[0].SealId }) },
        { StatementError.RepeatedLock, With(2, c => c with { Lock = Honest.Chunks[1].Lock }) },
    };

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public void Every_fault_has_its_reason(StatementError expected, WindowStatement statement)
    {
        StatementFault? fault = statement.Validate();
        Assert.Equal(expected, fault?.Error);
        Assert.Throws<InvalidOperationException>(() => statement.Encode());
    }

    [Fact]
    public void Limits_themselves_are_allowed()
    {
        Assert.Null(Honest.Validate());
        Assert.Null(With(1, c => c with { Length = ChunkStatement.MaxLength, FirstCounter = uint.MaxValue - 16_399 }).Validate());
        // 300 bytes are 5 blocks: the last one has counter 2^32 - 1.
        Assert.Null(With(1, c => c with { FirstCounter = uint.MaxValue - 4 }).Validate());
        Assert.Null((Honest with { SuiteId = new string('~', 64), ProviderKey = new byte[128] }).Validate());
    }
}

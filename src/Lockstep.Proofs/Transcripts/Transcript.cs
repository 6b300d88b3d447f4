using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Transcripts;

/// <summary>
/// The Fiat-Shamir transcript: a 32-byte BLAKE3 state that every message and every challenge moves on. One class for
/// prover and verifier. Each step hashes <c>state || tag || len(label) u8 || label || body</c>; integers are little-endian.
/// </summary>
/// <remarks>Its members are virtual so that the zero-knowledge tests can program the oracle; nothing else overrides them.</remarks>
internal class Transcript
{
    /// <summary>The most bits of work that may be asked for.</summary>
    public const int MaxGrindingBits = 40;

    private const byte AbsorbTag = 1;
    private const byte ChallengeTag = 2;
    private const byte WorkTag = 3;
    private const byte PositionsTag = 4;
    private const byte NonceTag = 5;

    private readonly byte[] _state = Blake3.Hash("lockstep/transcript/1"u8);

    /// <summary>The state, 32 bytes: equal on both sides exactly when all steps so far were equal.</summary>
    public ReadOnlySpan<byte> State => _state;

    /// <summary>Absorbs bytes; body = u64 length, then the bytes.</summary>
    /// <param name="label">ASCII, at most 255 characters.</param>
    /// <param name="data">Any number of bytes.</param>
    public virtual void Absorb(string label, ReadOnlySpan<byte> data)
    {
        using Blake3Hasher hasher = Begin(AbsorbTag, label);
        AppendUInt64(hasher, (ulong)data.Length);
        hasher.Update(data);
        hasher.Finish(_state);
    }

    /// <summary>Absorbs field elements as bytes, 16 each.</summary>
    public virtual void AbsorbElements(string label, ReadOnlySpan<Gf128> elements)
    {
        int length = elements.Length * Gf128.Size;
        byte[] bytes = ArrayPool<byte>.Shared.Rent(length);
        for (int i = 0; i < elements.Length; i++)
            elements[i].Write(bytes.AsSpan(i * Gf128.Size));
        Absorb(label, bytes.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <summary>One uniform element.</summary>
    public Gf128 Challenge(string label) => Challenges(label, 1)[0];

    /// <summary>One uniform element that must not be zero. False, at odds of 2^-128, when it is: the proof must begin anew.</summary>
    public bool ChallengeNonZero(string label, out Gf128 value)
    {
        value = Challenge(label);
        return !value.IsZero;
    }

    /// <summary>Uniform elements; body = u64 count. Of the output, 32 bytes are the next state, then 16 make an element.</summary>
    public virtual Gf128[] Challenges(string label, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        using Blake3Hasher hasher = Begin(ChallengeTag, label);
        AppendUInt64(hasher, (ulong)count);
        using Blake3Output output = hasher.Finish();
        output.Fill(_state);
        var challenges = new Gf128[count];
        Span<byte> element = stackalloc byte[Gf128.Size];
        for (int i = 0; i < count; i++)
        {
            output.Fill(element);
            challenges[i] = Gf128.Read(element);
        }

        return challenges;
    }

    /// <summary>
    /// Uniform distinct positions, ascending; body = u64 count, u64 N. Of the output, 32 bytes are the next state, then
    /// each u32 gives a position by its low bits; one already drawn is passed over.
    /// </summary>
    /// <param name="label">ASCII label.</param>
    /// <param name="count">How many, at most <paramref name="size"/>.</param>
    /// <param name="size">N, a power of two.</param>
    public virtual int[] DistinctPositions(string label, int count, int size)
    {
        if (!BitOperations.IsPow2(size) || count < 0 || count > size)
            throw new ArgumentOutOfRangeException(nameof(size), "Positions are drawn from a power of two that is at least their number.");
        using Blake3Hasher hasher = Begin(PositionsTag, label);
        AppendUInt64(hasher, (ulong)count);
        AppendUInt64(hasher, (ulong)size);
        using Blake3Output output = hasher.Finish();
        output.Fill(_state);
        var positions = new SortedSet<int>();
        Span<byte> word = stackalloc byte[sizeof(uint)];
        while (positions.Count < count)
        {
            output.Fill(word);
            positions.Add((int)(BinaryPrimitives.ReadUInt32LittleEndian(word) & (uint)(size - 1)));
        }

        return [.. positions];
    }

    /// <summary>
    /// Finds the lowest nonce whose proof of work holds, and absorbs it. The work's body is u8 bits, u64 nonce; its
    /// digest, read from the top bit of byte 0 downward, must begin with that many zeros.
    /// </summary>
    /// <param name="label">ASCII label, at most 21 characters: the work is one block.</param>
    /// <param name="bits">Zero bits demanded, 0..40; with 0 the nonce is 0.</param>
    /// <param name="workers">Threads that try ranges of nonces, and how they are cancelled.</param>
    public virtual ulong Grind(string label, int bits, Workers workers)
    {
        CheckBits(bits);
        ulong nonce = bits == 0 ? 0 : Blake3Work.Search(WorkPrefix(label, bits), bits, workers);
        AbsorbNonce(label, bits, nonce);
        return nonce;
    }

    /// <summary>Absorbs the other side's nonce and says whether its proof of work holds (with 0 bits: whether it is 0).</summary>
    public virtual bool CheckGrind(string label, int bits, ulong nonce)
    {
        CheckBits(bits);
        bool holds = nonce == 0;
        if (bits > 0)
        {
            using var hasher = new Blake3Hasher();
            hasher.Update(WorkPrefix(label, bits));
            AppendUInt64(hasher, nonce);
            Span<byte> digest = stackalloc byte[Blake3.DigestSize];
            hasher.Finish(digest);
            holds = LeadingZeros(digest) >= bits;
        }

        AbsorbNonce(label, bits, nonce);
        return holds;
    }

    private static int LeadingZeros(ReadOnlySpan<byte> digest) =>
        BitOperations.LeadingZeroCount(BinaryPrimitives.ReadUInt64BigEndian(digest));

    private static void CheckBits(int bits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, MaxGrindingBits);
    }

    private static byte[] Header(byte tag, string label)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(label.Length, byte.MaxValue);
        if (!Ascii.IsValid(label))
            throw new ArgumentException("Labels are ASCII.", nameof(label));
        return [tag, (byte)label.Length, .. Encoding.ASCII.GetBytes(label)];
    }

    private static void AppendUInt64(Blake3Hasher hasher, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        hasher.Update(bytes);
    }

    private byte[] WorkPrefix(string label, int bits) => [.. _state, .. Header(WorkTag, label), (byte)bits];

    private void AbsorbNonce(string label, int bits, ulong nonce)
    {
        using Blake3Hasher hasher = Begin(NonceTag, label);
        hasher.Update([(byte)bits]);
        AppendUInt64(hasher, nonce);
        hasher.Finish(_state);
    }

    private Blake3Hasher Begin(byte tag, string label)
    {
        var hasher = new Blake3Hasher();
        hasher.Update(_state);
        hasher.Update(Header(tag, label));
        return hasher;
    }
}

using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments.Evm;

/// <summary>Writes values of the contract ABI: words of 32 bytes, numbers big-endian.</summary>
internal sealed class AbiWriter
{
    public const int WordLength = 32;

    private readonly List<byte> bytes = [];

    /// <summary>Begins with the selector of a function, as a call does.</summary>
    public static AbiWriter Call(string signature)
    {
        var writer = new AbiWriter();
        writer.bytes.AddRange(Keccak.Hash256(Encoding.ASCII.GetBytes(signature)).AsSpan(0, 4));
        return writer;
    }

    public AbiWriter Number(BigInteger value)
    {
        byte[] digits = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        if (digits.Length > WordLength)
            throw new ArgumentOutOfRangeException(nameof(value), "The number does not fit in 256 bits.");
        return Right(digits);
    }

    public AbiWriter Address(EvmAddress value) => Right(value.Bytes.Span);

    public AbiWriter Flag(bool value) => Number(value ? 1 : 0);

    /// <summary>32 bytes as they are.</summary>
    public AbiWriter Word(ReadOnlySpan<byte> value)
    {
        if (value.Length != WordLength)
            throw new ArgumentException($"A word has {WordLength} bytes, not {value.Length}.", nameof(value));
        bytes.AddRange(value);
        return this;
    }

    public byte[] ToArray() => [.. bytes];

    private AbiWriter Right(ReadOnlySpan<byte> value)
    {
        for (int i = value.Length; i < WordLength; i++)
            bytes.Add(0);
        bytes.AddRange(value);
        return this;
    }
}

/// <summary>Reads values of the contract ABI from an answer that may be anything. Throws <see cref="FormatException"/>.</summary>
internal sealed class AbiReader(ReadOnlyMemory<byte> data)
{
    private int position;

    /// <summary>The next word.</summary>
    public ReadOnlySpan<byte> Word()
    {
        if (data.Length - position < AbiWriter.WordLength)
            throw new FormatException($"the answer ends after {data.Length} bytes");
        ReadOnlySpan<byte> word = data.Span.Slice(position, AbiWriter.WordLength);
        position += AbiWriter.WordLength;
        return word;
    }

    public BigInteger Number() => new(Word(), isUnsigned: true, isBigEndian: true);

    /// <summary>A number of at most 63 bits.</summary>
    public long Long()
    {
        ReadOnlySpan<byte> word = Word();
        long value = BinaryPrimitives.ReadInt64BigEndian(word[24..]);
        return value >= 0 && !word[..24].ContainsAnyExcept((byte)0) ? value : throw new FormatException("a number is out of range");
    }

    /// <summary>A number of 64 bits.</summary>
    public ulong Unsigned()
    {
        ReadOnlySpan<byte> word = Word();
        return word[..24].ContainsAnyExcept((byte)0) ? throw new FormatException("a number is out of range") : BinaryPrimitives.ReadUInt64BigEndian(word[24..]);
    }

    public EvmAddress Address()
    {
        ReadOnlySpan<byte> word = Word();
        return word[..12].ContainsAnyExcept((byte)0) ? throw new FormatException("an address is out of range") : new EvmAddress(word[12..]);
    }

    /// <summary>A reader of the array whose offset is the next word, and the array's length.</summary>
    /// <param name="wordsPerItem">Words of an item, all of one size.</param>
    /// <param name="count">Items.</param>
    public AbiReader Array(int wordsPerItem, out int count)
    {
        long offset = Long();
        if (offset % AbiWriter.WordLength != 0 || offset > data.Length)
            throw new FormatException("an array lies outside of the answer");
        var items = new AbiReader(data[(int)offset..]);
        long length = items.Long();
        if (length > (data.Length - offset) / (AbiWriter.WordLength * wordsPerItem))
            throw new FormatException("an array is longer than the answer");
        count = (int)length;
        return items;
    }
}

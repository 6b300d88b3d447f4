using System.Buffers.Binary;
using System.Text;

namespace Lockstep.Proofs;

/// <summary>
/// The encoding <c>lockstep-statement/1</c>, integers little-endian:
/// <code>
/// "lockstep-statement/1" (20 bytes) | suite id length u8, ASCII | lock hash u8 | provider key length u8, bytes | chunks u16
/// then for each chunk: length u32 | digest 32 | seal id 32 | nonce 12 | first counter u32 | lock 32
/// </code>
/// There is no padding, no optional field and no second way to write a value.
/// </summary>
internal static class StatementCodec
{
    private const int ChunkSize = 4 + ChunkStatement.DigestSize + ChunkStatement.SealIdSize + ChunkStatement.NonceSize + 4 + ChunkStatement.LockSize;

    private static ReadOnlySpan<byte> Format => "lockstep-statement/1"u8;

    public static byte[] Encode(WindowStatement statement)
    {
        if (statement.Validate() is { } fault)
            throw new InvalidOperationException(fault.Message);
        int suite = statement.SuiteId.Length, key = statement.ProviderKey.Length;
        var bytes = new byte[Format.Length + 1 + suite + 1 + 1 + key + 2 + ChunkSize * statement.Chunks.Count];
        Span<byte> rest = bytes;
        Put(ref rest, Format);
        rest[0] = (byte)suite;
        Encoding.ASCII.GetBytes(statement.SuiteId, rest[1..]);
        rest = rest[(1 + suite)..];
        rest[0] = (byte)statement.LockHash;
        rest[1] = (byte)key;
        rest = rest[2..];
        Put(ref rest, statement.ProviderKey.Span);
        BinaryPrimitives.WriteUInt16LittleEndian(rest, (ushort)statement.Chunks.Count);
        rest = rest[2..];
        foreach (ChunkStatement chunk in statement.Chunks)
        {
            PutUInt32(ref rest, (uint)chunk.Length);
            Put(ref rest, chunk.Digest.Span);
            Put(ref rest, chunk.SealId.Span);
            Put(ref rest, chunk.Nonce.Span);
            PutUInt32(ref rest, chunk.FirstCounter);
            Put(ref rest, chunk.Lock.Span);
        }

        return bytes;
    }

    public static StatementFault? Decode(ReadOnlySpan<byte> bytes, out WindowStatement? statement)
    {
        statement = null;
        if (!bytes.StartsWith(Format))
            return new(StatementError.WrongFormat, "These bytes are not a lockstep-statement/1.");
        ReadOnlySpan<byte> rest = bytes[Format.Length..];
        if (rest.IsEmpty || rest.Length < 1 + rest[0] + 2)
            return Truncated();
        ReadOnlySpan<byte> suite = rest.Slice(1, rest[0]);
        // Anything above ASCII becomes a character that Validate refuses.
        string suiteId = Encoding.Latin1.GetString(suite);
        rest = rest[(1 + suite.Length)..];
        var lockHash = (LockHash)rest[0];
        int keyLength = rest[1];
        rest = rest[2..];
        if (rest.Length < keyLength + 2)
            return Truncated();
        byte[] providerKey = rest[..keyLength].ToArray();
        int count = BinaryPrimitives.ReadUInt16LittleEndian(rest[keyLength..]);
        rest = rest[(keyLength + 2)..];
        // The count is held against the bytes at hand before anything is allocated for it.
        if (count > WindowStatement.MaxChunks)
            return new(StatementError.ChunkCount, $"The window has {count} chunks; expected 1 to {WindowStatement.MaxChunks}.");
        if (rest.Length < count * ChunkSize)
            return Truncated();
        if (rest.Length > count * ChunkSize)
            return new(StatementError.TrailingBytes, $"{rest.Length - count * ChunkSize} bytes follow the last chunk of the statement; expected none.");

        var chunks = new ChunkStatement[count];
        for (int i = 0; i < count; i++)
        {
            uint length = TakeUInt32(ref rest);
            if (length > ChunkStatement.MaxLength)
                return new(StatementError.ChunkLength, $"Chunk {i} is {length} bytes long; a chunk has 1 to {ChunkStatement.MaxLength} bytes.");
            chunks[i] = new ChunkStatement(
                (int)length,
                Take(ref rest, ChunkStatement.DigestSize),
                Take(ref rest, ChunkStatement.SealIdSize),
                Take(ref rest, ChunkStatement.NonceSize),
                TakeUInt32(ref rest),
                Take(ref rest, ChunkStatement.LockSize));
        }

        var decoded = new WindowStatement(suiteId, lockHash, providerKey, chunks);
        if (decoded.Validate() is { } fault)
            return fault;
        statement = decoded;
        return null;
    }

    private static StatementFault Truncated() => new(StatementError.Truncated, "The statement ends before its last chunk.");

    private static void Put(ref Span<byte> rest, ReadOnlySpan<byte> value)
    {
        value.CopyTo(rest);
        rest = rest[value.Length..];
    }

    private static void PutUInt32(ref Span<byte> rest, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(rest, value);
        rest = rest[4..];
    }

    private static byte[] Take(ref ReadOnlySpan<byte> rest, int size)
    {
        byte[] value = rest[..size].ToArray();
        rest = rest[size..];
        return value;
    }

    private static uint TakeUInt32(ref ReadOnlySpan<byte> rest)
    {
        uint value = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        rest = rest[4..];
        return value;
    }
}

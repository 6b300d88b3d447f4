using System.Security.Cryptography;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Layout;
using Lockstep.Proofs.Tests.Circuits;

namespace Lockstep.Proofs.Tests.Layout;

/// <summary>An honest window made with library primitives only, so that it does not lean on the code under test.</summary>
internal sealed class TestWindow : IDisposable
{
    public required WindowStatement Statement { get; init; }

    public required WindowLayout Layout { get; init; }

    public required ReadOnlyMemory<byte>[] Data { get; init; }

    public required ReadOnlyMemory<byte>[] Keys { get; init; }

    public required ReadOnlyMemory<byte>[] Ciphertexts { get; init; }

    public required Witness Witness { get; init; }

    public PublicWords Expected => PublicWords.TryCreate(Statement, Layout, Ciphertexts, out _)!;

    public string? Fault() => Explain.FirstFault(Statement.LockHash, Layout, Expected, Witness);

    public static TestWindow Create(LockHash lockHash, params int[] lengths) => CreateShaped(lockHash, 8, 0, lengths);

    public static TestWindow CreateShaped(LockHash lockHash, int kappa, int topBits, params int[] lengths)
    {
        var random = new Random(lengths.Length * 1_000_003 + lengths[0]);
        byte[] Bytes(int count)
        {
            var bytes = new byte[count];
            random.NextBytes(bytes);
            return bytes;
        }

        var data = new ReadOnlyMemory<byte>[lengths.Length];
        var keys = new ReadOnlyMemory<byte>[lengths.Length];
        var ciphertexts = new ReadOnlyMemory<byte>[lengths.Length];
        var chunks = new ChunkStatement[lengths.Length];
        for (int i = 0; i < lengths.Length; i++)
        {
            byte[] block = Bytes(lengths[i]), key = Bytes(32), nonce = Bytes(12);
            uint counter = i % 2 == 0 ? 1u : (uint)random.Next();
            byte[] y = lockHash == LockHash.Sha256 ? SHA256.HashData(key) : Textbook.Blake2b256(key);
            data[i] = block;
            keys[i] = key;
            ciphertexts[i] = Textbook.Crypt(key, counter, nonce, block);
            chunks[i] = new ChunkStatement(lengths[i], SHA256.HashData(block), Bytes(32), nonce, counter, y);
        }

        var statement = new WindowStatement("test/1", lockHash, Bytes(33), chunks);
        WindowLayout layout = WindowLayout.TryCreate(lengths, kappa, topBits, out string? reason) ?? throw new InvalidOperationException(reason);
        return new TestWindow
        {
            Statement = statement,
            Layout = layout,
            Data = data,
            Keys = keys,
            Ciphertexts = ciphertexts,
            Witness = Witness.Build(statement, layout, data, keys),
        };
    }

    public void Dispose() => Witness.Dispose();
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Node.Proving;
using Lockstep.Node.Storage;
using Lockstep.Payments;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Node.Provider;

/// <summary>What a window is sealed as. A proof binds this and the provider's key, but no deal, so that it may be made ahead of one.</summary>
/// <param name="SuiteId">The proof suite.</param>
/// <param name="LockHash">The hash of the locks.</param>
/// <param name="Chunks">The chunks, in order.</param>
internal sealed record WindowWish(string SuiteId, LockHashKind LockHash, IReadOnlyList<Cid> Chunks);

/// <summary>Where sealed windows come from: made ahead and in store, or made now. Safe for concurrent use.</summary>
internal sealed class WindowSource(ProviderStore store, BlockStore blocks, IProofSystem proofs, Bytes32 provider)
{
    /// <summary>Names everything that a window can be sold as.</summary>
    public Bytes32 FingerprintOf(WindowWish wish)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(Encoding.UTF8.GetBytes(wish.SuiteId));
        Append([(byte)wish.LockHash]);
        Append(provider.Span);
        foreach (Cid chunk in wish.Chunks)
            Append(chunk.ToBytes());
        return new Bytes32(hash.GetHashAndReset());

        void Append(ReadOnlySpan<byte> part)
        {
            Span<byte> length = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(length, part.Length);
            hash.AppendData(length);
            hash.AppendData(part);
        }
    }

    /// <summary>A window in store, taken out of it for good; null when there is none.</summary>
    public SealedWindow? Take(WindowWish wish) => store.TakeReady(FingerprintOf(wish));

    /// <summary>Gets the prover ready for windows of chunks of these lengths, as far as there is time.</summary>
    public void Prepare(string suiteId, IReadOnlyList<int> lengths, CancellationToken cancellation) => proofs.Prepare(suiteId, lengths, cancellation);

    /// <summary>Seals a window under fresh keys and writes its bytes to the disk. Heavy: seconds.</summary>
    /// <returns>The window, or what is wrong with the content.</returns>
    /// <exception cref="NodeException">The bytes cannot be written.</exception>
    public Outcome<SealedWindow> Make(WindowWish wish, CancellationToken cancellation)
    {
        var content = new List<ReadOnlyMemory<byte>>(wish.Chunks.Count);
        foreach (Cid chunk in wish.Chunks)
        {
            if (!blocks.Get(chunk).Try(out byte[]? block, out ContentError? error))
                return error;
            content.Add(block);
        }

        return store.StoreBytes(proofs.Seal(wish.SuiteId, wish.LockHash, provider, content, cancellation));
    }
}

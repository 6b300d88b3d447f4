using System.Security.Cryptography;
using Lockstep.Node.Proving;
using Lockstep.Payments;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Node.Tests.Support;

/// <summary>
/// A cheap stand-in for the proof system, for tests of everything around it. It proves nothing: its "proof" is a digest over
/// what a proof must bind, so that mix-ups and changed bits are noticed, and forgers are not.
/// </summary>
internal sealed class StandInProofs(TimeSpan? sealTime = null) : IProofSystem
{
    private int _sealed;

    public int WindowsSealed => _sealed;

    /// <summary>Set to make the provider send something else than it says: applied to each ciphertext after sealing.</summary>
    public Action<byte[]>? Spoil { get; init; }

    public IReadOnlyList<string> Suites { get; } = ["stand-in/1"];

    public SealedWindow Seal(
        string suiteId, LockHashKind lockHash, Bytes32 provider, IReadOnlyList<ReadOnlyMemory<byte>> blocks, CancellationToken cancellation)
    {
        if (sealTime is { } time && cancellation.WaitHandle.WaitOne(time))
            cancellation.ThrowIfCancellationRequested();
        Interlocked.Increment(ref _sealed);
        var chunks = new List<SealedChunk>();
        foreach (ReadOnlyMemory<byte> block in blocks)
        {
            byte[] key = RandomNumberGenerator.GetBytes(32);
            byte[] ciphertext = Pad(key, block.Span);
            chunks.Add(new SealedChunk(
                new Bytes32(RandomNumberGenerator.GetBytes(32)), new Bytes32(HashLock.Of(lockHash, key).Hash.Span), new byte[12], 0, ciphertext, key));
        }

        byte[] proof = Digest(
            suiteId, provider, blocks.Select(block => SHA256.HashData(block.Span)), chunks.Select(chunk => (chunk.SealId, chunk.Lock, chunk.Ciphertext)));
        foreach (SealedChunk chunk in chunks)
            Spoil?.Invoke(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(chunk.Ciphertext, out ArraySegment<byte> bytes) ? bytes.Array! : []);
        return new SealedWindow(chunks, proof);
    }

    /// <summary>The windows that were prepared for, as lengths of chunks.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<IReadOnlyList<int>> Prepared { get; } = [];

    public void Prepare(string suiteId, IReadOnlyList<int> lengths, CancellationToken cancellation) => Prepared.Enqueue(lengths);

    public string? Verify(SealedOffer offer, Bytes32 provider, IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, ReadOnlyMemory<byte> proof)
    {
        byte[] expected = Digest(
            offer.SuiteId, provider, offer.Chunks.Select(chunk => chunk.Cid.Digest.ToArray()),
            offer.Chunks.Zip(ciphertexts, (chunk, ciphertext) => (chunk.SealId, chunk.Lock, ciphertext)));
        return proof.Span.SequenceEqual(expected) ? null : "the stand-in's digest is another";
    }

    public (ReadOnlyMemory<byte>? Block, string? Refusal) Open(
        OfferedChunk chunk, LockHashKind lockHash, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> ciphertext)
    {
        byte[] block = Pad(key.Span, ciphertext.Span);
        return chunk.Cid.Matches(block) ? (block, null) : (null, "the digest is another");
    }

    private static byte[] Pad(ReadOnlySpan<byte> key, ReadOnlySpan<byte> text)
    {
        var result = new byte[text.Length];
        var counter = new byte[36];
        key.CopyTo(counter);
        for (int i = 0; i < text.Length; i += 32)
        {
            BitConverter.TryWriteBytes(counter.AsSpan(32), i);
            byte[] block = SHA256.HashData(counter);
            for (int j = i; j < Math.Min(i + 32, text.Length); j++)
                result[j] = (byte)(text[j] ^ block[j - i]);
        }

        return result;
    }

    private static byte[] Digest(
        string suite, Bytes32 provider, IEnumerable<byte[]> digests, IEnumerable<(Bytes32 SealId, Bytes32 Lock, ReadOnlyMemory<byte> Ciphertext)> chunks)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(suite));
        hash.AppendData(provider.Span);
        foreach (byte[] digest in digests)
            hash.AppendData(digest);
        foreach ((Bytes32 sealId, Bytes32 keyLock, ReadOnlyMemory<byte> ciphertext) in chunks)
        {
            hash.AppendData(sealId.Span);
            hash.AppendData(keyLock.Span);
            hash.AppendData(SHA256.HashData(ciphertext.Span));
        }

        return hash.GetHashAndReset();
    }
}

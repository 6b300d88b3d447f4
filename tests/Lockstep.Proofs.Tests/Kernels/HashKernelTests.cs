using System.Numerics;
using System.Runtime.InteropServices;
using CsCheck;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Hashing;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Randomness;

namespace Lockstep.Proofs.Tests.Kernels;

/// <summary>The wide forms of BLAKE3 against one message hashed piece by piece, which the official vectors hold.</summary>
public sealed unsafe class HashKernelTests
{
    private static readonly int[] Widths = [1, 4, 8, 16];

    private static readonly Gen<int> Width = AnyOf(Widths);

    private static Gen<T> AnyOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static byte[] Random(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    [Fact]
    public void Squares_are_transposed_at_any_stride() =>
        Gen.Select(AnyOf(4, 8, 16), Gen.Int[0, 5], Gen.Int[0, 5], Gen.Int[0, 1000]).Sample((size, fromGap, toGap, seed) =>
        {
            int fromStride = 4 * (size + fromGap), toStride = 4 * (size + toGap);
            byte[] source = Random(size * fromStride, seed), target = Random(size * toStride, seed + 1), untouched = [.. target];
            fixed (byte* from = source, to = target)
            {
                Transpose(size, from, fromStride, to, toStride);
                for (int i = 0; i < size; i++)
                    for (int j = 0; j < (size + toGap); j++)
                        if (Word(target, i * toStride + 4 * j) != (j < size ? Word(source, j * fromStride + 4 * i) : Word(untouched, i * toStride + 4 * j)))
                            return false;
            }

            return true;
        }, iter: 200);

    private static uint Word(byte[] bytes, int at) => MemoryMarshal.Read<uint>(bytes.AsSpan(at));

    private static void Transpose(int size, byte* from, nint fromStride, byte* to, nint toStride)
    {
        switch (size)
        {
            case 4: WordTranspose.Square4(from, fromStride, to, toStride); break;
            case 8: WordTranspose.Square8(from, fromStride, to, toStride); break;
            default: WordTranspose.Square16(from, fromStride, to, toStride); break;
        }
    }

    [Fact]
    public void Salted_leaves_at_a_stride_equal_leaves_hashed_whole() =>
        Gen.Select(Gen.OneOf(Gen.Int[1, 60].Select(x => 16 * x), Gen.Int[1, 3000]), Gen.Int[0, 40], Gen.Int[0, 80], Gen.Int[0, 1000]).Sample((length, count, gap, seed) =>
        {
            int stride = length + gap;
            byte[] salts = Random(16 * count, seed), contents = Random(stride * count, seed + 1), digests = new byte[32 * count];
            fixed (byte* s = salts, c = contents, d = digests)
                MerkleHash.Leaves(s, c, stride, length, count, d);
            byte[] whole = new byte[(16 + length) * count], expected = new byte[32 * count];
            for (int i = 0; i < count; i++)
            {
                salts.AsSpan(16 * i, 16).CopyTo(whole.AsSpan((16 + length) * i));
                contents.AsSpan(stride * i, length).CopyTo(whole.AsSpan((16 + length) * i + 16));
                MerkleHash.Leaf(salts.AsSpan(16 * i, 16), contents.AsSpan(stride * i, length), expected.AsSpan(32 * i));
            }

            var packed = new byte[32 * count];
            MerkleHash.Leaves(whole, 16 + length, packed);
            return digests.AsSpan().SequenceEqual(expected) && packed.AsSpan().SequenceEqual(expected);
        }, iter: 200);

    [Fact]
    public void Leaves_of_levels_and_nodes_equal_keyed_hashes()
    {
        byte[] leaves = Random(50 * 256, 9), digests = new byte[50 * 32], packed = new byte[40 * 32], nodes = new byte[50 * 32], one = new byte[32];
        byte[] levelKey = Blake3.Hash("lockstep/merkle/level/1"u8), nodeKey = Blake3.Hash("lockstep/merkle/node/1"u8);
        fixed (byte* from = leaves, to = digests, up = nodes)
        {
            MerkleHash.LevelLeaves(from, 256, 128, 50, to);
            MerkleHash.Parents(from, 50, up);
        }

        MerkleHash.LevelLeaves(leaves.AsSpan(0, 40 * 128), 128, packed);
        for (int i = 0; i < 50; i++)
        {
            Blake3.KeyedHash(levelKey, leaves.AsSpan(256 * i, 128), one);
            Assert.Equal(one, digests[(32 * i)..(32 * i + 32)]);
            Blake3.KeyedHash(nodeKey, leaves.AsSpan(64 * i, 64), one);
            Assert.Equal(one, nodes[(32 * i)..(32 * i + 32)]);
            Blake3.KeyedHash(levelKey, leaves.AsSpan(128 * i, 128), one);
            if (i < 40)
                Assert.Equal(one, packed[(32 * i)..(32 * i + 32)]);
        }
    }

    [Fact]
    public void Messages_at_a_stride_equal_single_hashes_at_every_width() =>
        Gen.Select(Gen.OneOf(AnyOf(64, 128, 256, 640, 1024), Gen.Int[1, 2500]), Gen.Int[0, 40], Width, Gen.Bool, Gen.Int[0, 1000]).Sample((length, count, lanes, salted, seed) =>
        {
            int stride = length + 5;
            byte[] key = Random(32, seed), salts = Random(16 * count, seed + 1), bodies = Random(stride * count + 1, seed + 2), digests = new byte[32 * count];
            fixed (byte* s = salts, b = bodies, d = digests)
                Blake3Batch.KeyedHashMany(key, salted ? new Blake3Messages(s, b, stride, length) : new Blake3Messages(b, stride, length), count, d, lanes);
            var one = new byte[32];
            for (int i = 0; i < count; i++)
            {
                using var hasher = Blake3Hasher.Keyed(key);
                if (salted)
                    hasher.Update(salts.AsSpan(16 * i, 16));
                hasher.Update(bodies.AsSpan(stride * i, length));
                hasher.Finish(one);
                if (!one.AsSpan().SequenceEqual(digests.AsSpan(32 * i, 32)))
                    return false;
            }

            return true;
        }, iter: 300);

    [Fact]
    public void Long_messages_equal_the_tree_over_single_lanes() =>
        Gen.Select(Gen.Int[0, 70_000], Gen.Int[1, 40_000].Array[1, 5], Gen.Int[0, 1000]).Sample((length, pieces, seed) =>
        {
            byte[] message = Random(length + 1, seed), digest = new byte[32], expected = new byte[32];
            using var hasher = new Blake3Hasher();
            for (int at = 0, i = 0; at < message.Length; i++)
            {
                int take = Math.Min(pieces[i % pieces.Length], message.Length - at);
                hasher.Update(message.AsSpan(at, take));
                at += take;
            }

            hasher.Finish(digest);

            // One message in a batch goes down the one-lane tree.
            Blake3Batch.HashMany(message, message.Length, expected);
            return digest.AsSpan().SequenceEqual(expected);
        }, iter: 150);

    [Fact]
    public void Output_is_the_same_at_every_width_and_place() =>
        Gen.Select(Gen.Int[0, 3000], Gen.Int[0, 3000], Width, AnyOf(0UL, (1UL << 38) - 700)).Sample((offset, length, lanes, from) =>
        {
            using var hasher = Blake3Hasher.Keyed(Random(32, 1));
            hasher.Update("name"u8);
            using Blake3Output output = hasher.Finish(), slow = hasher.Finish();
            byte[] part = new byte[length], expected = new byte[length], next = new byte[length];
            output.FillAt(from + (ulong)offset, part, lanes);
            slow.Seek(from + (ulong)offset);
            for (int i = 0; i < length; i++)
                slow.Fill(expected.AsSpan(i, 1));
            output.Seek(from + (ulong)offset);
            output.Fill(next.AsSpan(0, length / 3));
            output.Fill(next.AsSpan(length / 3));
            return part.AsSpan().SequenceEqual(expected) && next.AsSpan().SequenceEqual(expected);
        }, iter: 300);

    [Fact]
    public void A_stream_is_the_same_however_it_is_read() =>
        Gen.Select(Gen.Int[0, 400_000], Gen.Int[0, 200], Gen.Int[1, 3]).Sample((length, before, threads) =>
        {
            using var one = new ProofRandom(Random(32, 2));
            using var two = new ProofRandom(Random(32, 2));
            using RandomStream a = one.Take("rows"), b = two.Take("rows");
            byte[] expected = new byte[before + length + 100], got = new byte[expected.Length];
            a.Fill(expected.AsSpan());
            b.Fill(got.AsSpan(0, before));
            fixed (byte* to = got)
                b.Fill(to + before, length, new Workers(threads));
            b.Fill(got.AsSpan(before + length));
            return expected.AsSpan().SequenceEqual(got);
        }, iter: 30);

    [Fact]
    public void A_stream_of_chosen_bytes_is_read_in_order()
    {
        byte value = 0;
        using var stream = new RandomStream(bytes =>
        {
            foreach (ref byte b in bytes)
                b = value++;
        });
        var read = new byte[200_001];
        fixed (byte* to = read)
            stream.Fill(to, read.Length, new Workers(3));
        Assert.Equal(Enumerable.Range(0, read.Length).Select(i => (byte)i), read);
    }

    [Fact]
    public void Work_is_the_lowest_nonce_at_every_width_place_and_count_of_workers() =>
        Gen.Select(Gen.Int[0, 56], Gen.Int[1, 11], Width, Gen.Int[1, 4], Gen.Int[0, 1000]).Sample((length, bits, lanes, threads, seed) =>
        {
            byte[] message = [.. Random(length, seed), .. new byte[8]], digest = new byte[32];
            ulong found = Blake3Work.Search(message.AsSpan(0, length), bits, new Workers(threads), lanes);
            for (ulong nonce = 0; nonce <= found; nonce++)
            {
                MemoryMarshal.Write(message.AsSpan(length), in nonce);
                Blake3.Hash(message, digest);
                int zeros = BitOperations.LeadingZeroCount(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(digest));
                if (zeros >= bits != (nonce == found))
                    return false;
            }

            return true;
        }, iter: 60);

    [Fact]
    public void Work_beyond_the_first_range_is_still_the_lowest()
    {
        foreach (int threads in new[] { 1, 2, 5 })
            Assert.Equal(Blake3Work.Search("far"u8, 17, new Workers(1), 1), Blake3Work.Search("far"u8, 17, new Workers(threads)));
        Assert.True(Blake3Work.Search("far"u8, 17, new Workers(2)) > 1 << 14);
    }
}

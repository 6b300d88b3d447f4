using CsCheck;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Tests.Commitments;

public sealed class MerkleTests
{
    private static byte[] Digests(int count, int seed)
    {
        var digests = new byte[count * 32];
        new Random(seed).NextBytes(digests);
        return digests;
    }

    private static byte[] Select(byte[] digests, int[] positions) => [.. positions.SelectMany(p => digests[(p * 32)..(p * 32 + 32)])];

    private static int[] Positions(Random random, int count, int size) =>
        [.. Enumerable.Range(0, size).OrderBy(_ => random.Next()).Take(count).Order()];

    // The definition, one node at a time.
    private static byte[] NaiveRoot(byte[] nodes)
    {
        byte[] key = Blake3.Hash("lockstep/merkle/node/1"u8);
        while (nodes.Length > 32)
        {
            var parents = new byte[nodes.Length / 2];
            for (int i = 0; i < parents.Length; i += 32)
                Blake3.KeyedHash(key, nodes.AsSpan(2 * i, 64), parents.AsSpan(i, 32));
            nodes = parents;
        }

        return nodes;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(14)]
    public void Root_follows_the_definition_for_any_number_of_workers(int depth)
    {
        byte[] digests = Digests(1 << depth, depth);
        MerkleTree one = MerkleTree.Build(digests, new Workers(1)), two = MerkleTree.Build(digests, new Workers(2)), five = MerkleTree.Build(digests, new Workers(5));
        Assert.Equal(depth, one.Depth);
        Assert.Equal(NaiveRoot(digests), one.Root.ToArray());
        Assert.Equal(one.Root.ToArray(), two.Root.ToArray());
        Assert.Equal(one.Root.ToArray(), five.Root.ToArray());
        int[] positions = Positions(new Random(1), Math.Min(1 << depth, 100), 1 << depth);
        Assert.Equal(one.Open(positions), two.Open(positions));
    }

    [Fact]
    public void Leaf_digests_follow_the_definition()
    {
        byte[] key = Blake3.Hash("lockstep/merkle/leaf/1"u8), leaves = Digests(37, 3), digests = new byte[7 * 32], expected = new byte[32];
        leaves = leaves[..(7 * 160)];
        MerkleHash.Leaves(leaves, 160, digests);
        for (int i = 0; i < 7; i++)
        {
            Blake3.KeyedHash(key, leaves.AsSpan(i * 160, 160), expected);
            Assert.Equal(expected, digests[(i * 32)..(i * 32 + 32)]);
            MerkleHash.Leaf(leaves.AsSpan(i * 160, 16), leaves.AsSpan(i * 160 + 16, 144), expected);
            Assert.Equal(expected, digests[(i * 32)..(i * 32 + 32)]);
        }
    }

    [Fact]
    public void A_node_is_not_a_leaf()
    {
        byte[] pair = Digests(2, 1), node = new byte[32], leaf = new byte[32];
        MerkleHash.Parents(pair, node);
        MerkleHash.Leaves(pair, 64, leaf);
        Assert.NotEqual(node, leaf);
    }

    [Fact]
    public void Multiproofs_give_the_root_and_nothing_else_does() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int, Gen.Double[0, 1]).Sample((depth, seed, share) =>
        {
            var random = new Random(seed);
            int size = 1 << depth, count = Math.Max(1, (int)(share * share * size));
            byte[] digests = Digests(size, seed);
            MerkleTree tree = MerkleTree.Build(digests, new Workers(1));
            int[] positions = Positions(random, count, size);
            byte[] siblings = tree.Open(positions), leaves = Select(digests, positions);

            Assert.True(MultiProof.TryRoot(leaves, positions, depth, siblings, out byte[] root));
            Assert.Equal(tree.Root.ToArray(), root);

            // The siblings needed, by set operations: a sibling of a known node that is not itself known.
            int needed = 0;
            HashSet<int> known = [.. positions];
            for (int level = 0; level < depth; level++)
            {
                needed += known.Count(node => !known.Contains(node ^ 1));
                known = [.. known.Select(node => node >> 1)];
            }

            Assert.Equal(needed, MultiProof.SiblingCount(positions, depth));
            Assert.Equal(needed * 32, siblings.Length);
            Assert.InRange(needed, 0, MultiProof.MaxSiblingCount(count, depth));

            Assert.False(MultiProof.TryRoot(leaves, positions, depth, [.. siblings, .. new byte[32]], out _));
            Assert.False(MultiProof.TryRoot(leaves, positions, depth, [.. siblings, 0], out _));
            Assert.False(MultiProof.TryRoot([.. leaves, .. new byte[32]], positions, depth, siblings, out _));
            if (needed > 0)
            {
                Assert.False(MultiProof.TryRoot(leaves, positions, depth, siblings.AsSpan(32), out _));
                byte[] flipped = [.. siblings];
                flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
                Assert.True(MultiProof.TryRoot(leaves, positions, depth, flipped, out byte[] wrong));
                Assert.NotEqual(root, wrong);
            }

            if (needed > 1)
            {
                byte[] swapped = [.. siblings[32..64], .. siblings[..32], .. siblings[64..]];
                Assert.True(MultiProof.TryRoot(leaves, positions, depth, swapped, out byte[] wrong));
                Assert.NotEqual(root, wrong);
            }
        }, iter: 200);

    [Fact]
    public void The_sibling_bound_is_reached_by_evenly_spread_positions()
    {
        int[] positions = [.. Enumerable.Range(0, 256).Select(i => i << 8)];
        Assert.Equal(256 * 8, MultiProof.SiblingCount(positions, 16));
        Assert.Equal(256 * 8, MultiProof.MaxSiblingCount(256, 16));

        // Five positions in eight leaves: three pairs known in part at most.
        Assert.Equal(3, MultiProof.MaxSiblingCount(5, 3));
    }

    [Theory]
    [InlineData(new int[0], 3)]
    [InlineData(new[] { 1, 1 }, 3)]
    [InlineData(new[] { 2, 1 }, 3)]
    [InlineData(new[] { -1, 1 }, 3)]
    [InlineData(new[] { 1, 8 }, 3)]
    [InlineData(new[] { 1 }, 31)]
    [InlineData(new[] { 1 }, -1)]
    public void Positions_that_are_not_canonical_are_refused(int[] positions, int depth)
    {
        Assert.False(MultiProof.AreCanonical(positions, depth));

        // With any number of siblings, so that no count hides the refusal.
        for (int siblings = 0; siblings <= 8; siblings++)
            Assert.False(MultiProof.TryRoot(new byte[32 * positions.Length], positions, depth, new byte[32 * siblings], out _));
    }

    [Fact]
    public void Only_powers_of_two_make_a_tree()
    {
        Assert.Throws<ArgumentException>(() => MerkleTree.Build(new byte[96], new Workers(1)));
        Assert.Throws<ArgumentException>(() => MerkleTree.Build(new byte[33], new Workers(1)));
        Assert.Throws<ArgumentException>(() => MerkleTree.Build([], new Workers(1)));
        Assert.Throws<ArgumentException>(() => MerkleTree.Build(new byte[128], new Workers(1)).Open([3, 2]));
    }
}

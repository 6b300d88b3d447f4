using CsCheck;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Tests.Commitments;

public sealed unsafe class NativeMerkleTreeTests
{
    [Fact]
    public void Roots_and_openings_are_those_of_the_plain_tree_in_any_order_of_blocks() =>
        Gen.Select(Gen.Int[0, 13], Gen.Int[0, 11], Gen.Int, Gen.Int[1, 3]).Sample((depth, logBlock, seed, threads) =>
        {
            var random = new Random(seed);
            var digests = new byte[32 << depth];
            random.NextBytes(digests);
            MerkleTree plain = MerkleTree.Build((byte[])digests.Clone(), new Workers(1));
            using var tree = new NativeMerkleTree(depth, NativePool.Shared, 1 << logBlock);
            int[] blocks = [.. Enumerable.Range(0, tree.Blocks)];
            random.Shuffle(blocks);
            new Workers(threads).For(blocks.Length, 1, (start, end) =>
            {
                for (int i = start; i < end; i++)
                {
                    digests.AsSpan(blocks[i] * tree.BlockLeaves * 32, tree.BlockLeaves * 32).CopyTo(new Span<byte>(tree.Leaf(blocks[i] * tree.BlockLeaves), tree.BlockLeaves * 32));
                    tree.BuildBlock(blocks[i]);
                }
            });
            tree.Finish(new Workers(threads));
            int[] positions = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.Next(1 << depth)).Distinct().Order()];
            return tree.Depth == plain.Depth && tree.Root.SequenceEqual(plain.Root) && tree.Open(positions).AsSpan().SequenceEqual(plain.Open(positions));
        }, iter: 200);

    [Fact]
    public void Whole_trees_are_built_at_once()
    {
        foreach (int depth in new[] { 0, 4, 10, 15 })
        {
            var digests = new byte[32 << depth];
            new Random(depth).NextBytes(digests);
            using var tree = new NativeMerkleTree(depth, NativePool.Shared);
            digests.CopyTo(new Span<byte>(tree.Leaf(0), digests.Length));
            tree.Build(new Workers(2));
            Assert.Equal(MerkleTree.Build(digests, new Workers(1)).Root, tree.Root);
        }
    }

    [Fact]
    public void Unfinished_trees_and_wrong_positions_are_refused()
    {
        using var tree = new NativeMerkleTree(4, NativePool.Shared, 8);
        new Span<byte>(tree.Leaf(0), 16 * 32).Clear();
        Assert.Equal(2, tree.Blocks);
        tree.BuildBlock(1);
        Assert.Throws<InvalidOperationException>(() => tree.Finish(new Workers(1)));
        Assert.Throws<InvalidOperationException>(() => tree.Root.Length);
        Assert.Throws<InvalidOperationException>(() => tree.Open([3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tree.BuildBlock(2));
        tree.BuildBlock(0);
        tree.Finish(new Workers(1));
        Assert.Throws<InvalidOperationException>(() => tree.Finish(new Workers(1)));
        Assert.Throws<ArgumentException>(() => tree.Open([3, 3]));
        Assert.Throws<ArgumentException>(() => tree.Open([16]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NativeMerkleTree(3, NativePool.Shared, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NativeMerkleTree(31, NativePool.Shared));
    }
}

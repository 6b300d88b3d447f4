using System.Collections.Concurrent;
using System.Diagnostics;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Windows;

/// <summary>
/// Every field of a proof changed in every bit class, cut, stretched and rearranged. What only a prover who repairs the
/// rest can reach (the pad row, the last vector, the levels' sum, the equations) is the battery of forging provers.
/// All bytes, instead of a seeded choice:
/// <code>dotnet run -c Release --project tests/Lockstep.Proofs.Tests -- -class "*ProofCorruptionTests" -explicit only</code>
/// </summary>
public sealed class ProofCorruptionTests(ITestOutputHelper output)
{
    public static TheoryData<string, LockHash, int[]> Windows() => new()
    {
        { Suites.Default.Id, LockHash.Sha256, [1] },
        { Suites.Hundred.Id, LockHash.Blake2b256, [64, 200, 63] },
        // Two levels of the commitment.
        { Suites.Default.Id, LockHash.Blake2b256, [70_000] },
    };

    [Theory]
    [MemberData(nameof(Windows))]
    public void Every_bit_class_of_every_field_is_refused_for_its_reason(string suite, LockHash lockHash, int[] lengths)
    {
        DeterministicWindow window = Window(suite, lockHash, lengths);
        ProofMap map = ProofMap.Of(window);
        var seen = new Dictionary<RejectReason, int>();
        int flips = 0;
        foreach (ProofField field in map.OneOfEachKind())
        {
            // Every bit of the first, a middle and the last byte.
            int firstReason = 0, ofField = 0;
            foreach (int at in new[] { field.Offset, field.Offset + field.Length / 2, field.End - 1 }.Distinct())
                for (int bit = 0; bit < 8; bit++, flips++, ofField++)
                {
                    RejectReason reason = Refused(window, Flip(window.Proof, at, (byte)(1 << bit)), field, at);
                    seen[reason] = seen.GetValueOrDefault(reason) + 1;
                    firstReason += reason == field.Reasons[0] ? 1 : 0;
                }

            // By chance a work of b bits holds once in 2^b changes; not for half of a field.
            Assert.True(2 * firstReason >= ofField, $"{field.Name}: {firstReason} of {ofField} changes were refused as {field.Reasons[0]}");
        }

        output.WriteLine($"{flips} changes: {string.Join(", ", seen.OrderBy(pair => pair.Key))}");
        HashSet<RejectReason> expected =
            [RejectReason.Header, RejectReason.FoldWork, RejectReason.MaskWork, RejectReason.PadWork, RejectReason.QueryWork,
            RejectReason.LevelWork, RejectReason.Root, RejectReason.LevelRoot];
        Assert.Superset(expected, seen.Keys.ToHashSet());
    }

    [Fact]
    public void Header_bytes_and_two_thousand_seeded_bytes_flipped_are_refused()
    {
        DeterministicWindow window = DeterministicWindow.OneByte;
        ProofMap map = ProofMap.Of(window);
        var random = new Random(20_261_122);
        IEnumerable<int> positions = Enumerable.Range(0, 16 + 32).Concat(Enumerable.Range(0, 2_000).Select(_ => random.Next(window.Proof.Length)));
        foreach (int at in positions)
            Refused(window, Flip(window.Proof, at, (byte)random.Next(1, 256)), map.At(at), at);
    }

    [Fact(Explicit = true)]
    public void Every_byte_flipped_is_refused()
    {
        DeterministicWindow window = DeterministicWindow.OneByte;
        ProofMap map = ProofMap.Of(window);
        var reasons = new ConcurrentDictionary<RejectReason, int>();
        var watch = Stopwatch.StartNew();
        Parallel.ForEach(Partitioner.Create(0, window.Proof.Length, 512), range =>
        {
            byte[] proof = [.. window.Proof];
            for (int at = range.Item1; at < range.Item2; at++)
            {
                proof[at] ^= (byte)(1 << at % 8);
                reasons.AddOrUpdate(Refused(window, proof, map.At(at), at), 1, (_, count) => count + 1);
                proof[at] = window.Proof[at];
            }
        });
        output.WriteLine($"{window.Proof.Length} bytes in {watch.Elapsed.TotalSeconds:F0} s: {string.Join(", ", reasons.OrderBy(pair => pair.Key))}");
        Assert.Equal(window.Proof.Length, reasons.Values.Sum());
    }

    [Fact]
    public void Proofs_cut_at_every_field_and_at_seeded_lengths_are_refused()
    {
        DeterministicWindow window = DeterministicWindow.OneByte;
        var random = new Random(7);
        IEnumerable<int> lengths = ProofMap.Of(window).Fields.Select(field => field.Offset)
            .Concat(Enumerable.Range(0, 17))
            .Concat(Enumerable.Range(1, 200).Select(_ => random.Next(window.Proof.Length)))
            .Append(window.Proof.Length - 1)
            .Append(window.Proof.Length - 32);
        foreach (int length in lengths)
            Assert.Equal(length < 16 ? RejectReason.Header : RejectReason.ProofLength, window.Verify(window.Proof[..length])?.Reason);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(1 << 20)]
    public void Stretched_proofs_are_refused(int more)
    {
        DeterministicWindow window = DeterministicWindow.OneByte;
        Assert.Equal(RejectReason.ProofLength, window.Verify([.. window.Proof, .. new byte[more]])?.Reason);
        Assert.Equal(RejectReason.ProofLength, window.Verify([.. window.Proof, .. window.Proof[^Math.Min(more, window.Proof.Length)..]])?.Reason);
    }

    [Fact]
    public void Neighbouring_fields_of_one_length_swapped_are_refused()
    {
        DeterministicWindow window = DeterministicWindow.OneByte;
        ProofField[] fields = [.. ProofMap.Of(window).OneOfEachKind()];
        int swaps = 0;
        foreach (ProofField[] ofOneLength in fields.GroupBy(field => field.Length).Select(group => group.ToArray()))
            for (int k = 1; k < ofOneLength.Length; k++, swaps++)
            {
                byte[] proof = [.. window.Proof];
                ProofField first = ofOneLength[k - 1], second = ofOneLength[k];
                window.Proof.AsSpan(second.Offset, second.Length).CopyTo(proof.AsSpan(first.Offset));
                window.Proof.AsSpan(first.Offset, first.Length).CopyTo(proof.AsSpan(second.Offset));
                // Small nonces may be equal: that is no change.
                if (!proof.AsSpan().SequenceEqual(window.Proof))
                    Refused(window, proof, first, first.Offset);
            }

        Assert.True(swaps > 50);
    }

    [Fact]
    public void Leaves_and_siblings_out_of_order_or_of_the_wrong_number_are_refused()
    {
        DeterministicWindow window = DeterministicWindow.OneByte;
        ProofMap map = ProofMap.Of(window);
        byte[] good = window.Proof, messages = good[..map.FirstLeaf], siblings = good[map.FirstSibling..map.FirstLevelLeaf], levels = good[map.FirstLevelLeaf..];
        byte[][] leaves = [.. good[map.FirstLeaf..map.FirstSibling].Chunk(map.LeafLength)], nodes = [.. siblings.Chunk(32)];
        byte[] Join(IEnumerable<byte[]> leafOrder, IEnumerable<byte[]> nodeOrder) => [.. messages, .. leafOrder.SelectMany(x => x), .. nodeOrder.SelectMany(x => x), .. levels];

        Assert.Null(window.Verify(Join(leaves, nodes)));
        Assert.Equal(RejectReason.Root, window.Verify(Join(leaves.Reverse(), nodes))?.Reason);
        Assert.Equal(RejectReason.Root, window.Verify(Join([leaves[1], leaves[0], .. leaves[2..]], nodes))?.Reason);
        Assert.Equal(RejectReason.Root, window.Verify(Join([leaves[0], leaves[0], .. leaves[2..]], nodes))?.Reason);
        Assert.Equal(RejectReason.Root, window.Verify(Join(leaves, nodes.Reverse()))?.Reason);
        Assert.Equal(RejectReason.Root, window.Verify(Join(leaves, [nodes[1], nodes[0], .. nodes[2..]]))?.Reason);
        Assert.Equal(RejectReason.ProofLength, window.Verify(Join(leaves[1..], nodes))?.Reason);
        Assert.Equal(RejectReason.ProofLength, window.Verify(Join([.. leaves, leaves[^1]], nodes))?.Reason);
        Assert.Equal(RejectReason.ProofLength, window.Verify(Join(leaves, nodes[1..]))?.Reason);
        Assert.Equal(RejectReason.ProofLength, window.Verify(Join(leaves, [.. nodes, nodes[^1]]))?.Reason);

        // As many bytes as before, the siblings in front of the leaves.
        Assert.Equal(RejectReason.Root, window.Verify(Join(nodes, leaves))?.Reason);
    }

    private static DeterministicWindow Window(string suite, LockHash lockHash, int[] lengths) =>
        lengths is [1] ? DeterministicWindow.OneByte : DeterministicWindow.Shared(Suites.Find(suite)!, lockHash, "corruption", lengths);

    private static byte[] Flip(byte[] proof, int at, byte mask)
    {
        byte[] changed = [.. proof];
        changed[at] ^= mask;
        return changed;
    }

    private static RejectReason Refused(DeterministicWindow window, byte[] proof, ProofField field, int at)
    {
        Rejection? rejection = window.Verify(proof);
        Assert.True(rejection is not null, $"a change at byte {at} ({field.Name}) was accepted");
        Assert.True(field.Reasons.Contains(rejection.Reason), $"a change at byte {at} ({field.Name}) was refused as {rejection}");
        Assert.False(string.IsNullOrWhiteSpace(rejection.Detail));
        return rejection.Reason;
    }
}

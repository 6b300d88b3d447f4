using CsCheck;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Layout;

namespace Lockstep.Proofs.Tests.Layout;

public sealed class WindowLayoutTests
{
    private static WindowLayout Make(int kappa, int topBits, params int[] lengths) =>
        WindowLayout.TryCreate(lengths, kappa, topBits, out string? reason) ?? throw new InvalidOperationException(reason);

    [Fact]
    public void Shapes_of_known_windows()
    {
        // Four leaves of 256 KiB: 36 unit rows, the tail row, 2^17 columns at e = 2.
        WindowLayout mib = Make(14, 2, [.. Enumerable.Repeat(262_144, 4)]);
        Assert.Equal((16_384, 4, 37, 1 << 17, 128), (mib.UnitCount, mib.TopBlocks, mib.RowCount, mib.RowLength, mib.PresentTails));
        Assert.Equal((16_384, 36), (mib.PresentUnits, mib.TailRow));
        WindowLayout four = Make(16, 2, [.. Enumerable.Repeat(262_144, 16)]);
        Assert.Equal((65_536, 37, 1 << 19, 512), (four.UnitCount, four.RowCount, four.RowLength, four.PresentTails));
        // Absent top blocks are dropped.
        WindowLayout small = Make(14, 4, 700 * 1024);
        Assert.Equal((11, 100, 1 << 15), (small.TopBlocks, small.RowCount, small.RowLength));
        // The 256 units with mask words are present even without data.
        WindowLayout one = Make(10, 4, 1);
        Assert.Equal((0, 4, 256), (one.UnitCount, one.TopBlocks, one.PresentUnits));
    }

    [Fact]
    public void Units_follow_the_table_without_gaps() =>
        Gen.Int[1, 700].Array[1, 8].Sample(lengths =>
        {
            WindowLayout layout = Make(8, 0, lengths);
            var owners = new List<int>();
            for (int chunk = 0; chunk < lengths.Length; chunk++)
            {
                Assert.Equal(owners.Count, layout.FirstUnit(chunk));
                Assert.Equal(lengths[chunk] / 64, layout.UnitsOf(chunk));
                Assert.Equal(lengths[chunk], 64 * layout.UnitsOf(chunk) + layout.TailBytes(chunk));
                owners.AddRange(Enumerable.Repeat(chunk, lengths[chunk] / 64));
            }

            Assert.Equal(owners.Count, layout.UnitCount);
            for (int i = 0; i < layout.PresentUnits; i++)
            {
                bool used = i < owners.Count;
                Assert.Equal(used ? owners[i] : -1, layout.ChunkOfUnit(i));
                Assert.Equal(used && (i == 0 || owners[i - 1] != owners[i]), layout.StartsChunk(i));
                Assert.Equal(used && (i + 1 == owners.Count || owners[i + 1] != owners[i]), layout.EndsChunk(i));
            }
        }, iter: 200);

    [Theory]
    [InlineData(8, 0)]
    [InlineData(10, 3)]
    [InlineData(11, 6)]
    public void Addresses_are_a_bijection_onto_the_present_rows(int kappa, int topBits)
    {
        WindowLayout layout = Make(kappa, topBits, 64 << kappa >> 1);
        var seen = new bool[layout.RowCount * layout.RowLength];
        for (int i = 0; i < layout.PresentUnits; i++)
        {
            for (int word = 0; word < UnitCircuit.SlotWords; word += 4)
                Mark(layout.Row(word >> 7, i), layout.Column((word >> 2) & 31, i));
        }

        for (int q = 0; q < layout.PresentTails; q++)
        {
            for (int element = 0; element < TailCircuit.SlotWords / 4; element++)
                Mark(layout.TailRow, WindowLayout.TailColumn(element, q));
        }

        Assert.All(seen, Assert.True);

        void Mark(int row, int column)
        {
            Assert.InRange(column, 0, layout.RowLength - 1);
            int at = row * layout.RowLength + column;
            Assert.False(seen[at]);
            seen[at] = true;
        }
    }

    [Fact]
    public void A_window_that_does_not_fit_is_refused_with_a_reason()
    {
        Refuse("does not exist", 7, 0, 1);
        Refuse("does not exist", 18, 2, 1);
        Refuse("does not exist", 10, 6, 1);
        Refuse("does not exist", 10, -1, 1);
        Refuse("chunks; this shape holds 1 to 8", 8, 0, [.. Enumerable.Repeat(1, 9)]);
        Refuse("chunks; this shape", 8, 0);
        Refuse("257 units", 8, 0, 257 * 64);
        Refuse("Chunk 1 is 0 bytes", 8, 0, 5, 0);
        Refuse("Chunk 0 is 1049601 bytes", 16, 2, ChunkStatement.MaxLength + 1);
        Assert.Equal(256, Make(8, 0, 256 * 64 + 63).UnitCount);

        static void Refuse(string part, int kappa, int topBits, params int[] lengths)
        {
            Assert.Null(WindowLayout.TryCreate(lengths, kappa, topBits, out string? reason));
            Assert.Contains(part, reason, StringComparison.Ordinal);
        }
    }
}

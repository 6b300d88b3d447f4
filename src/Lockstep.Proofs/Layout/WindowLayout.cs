using Lockstep.Proofs.Circuits;

namespace Lockstep.Proofs.Layout;

/// <summary>
/// Where everything lies in the matrix (docs/proof-system.md section 4). A packed element holds four slot words, 128 bits. Units
/// fill consecutive indices in table order without gaps: the full 64-byte blocks of each chunk; the rest of a chunk is
/// its tail, tail index = chunk index. The unit index splits into a block (its top <see cref="TopBits"/> bits, a row
/// coordinate) and the low bits (a column coordinate); only the first <see cref="TopBlocks"/> blocks are present.
/// <code>
/// unit i, slot word w: row (w>>7)*TopBlocks + (i >> (kappa-e)), column ((w>>2)&amp;31) + 32*(i mod 2^(kappa-e)), bits 32*(w&amp;3)..
/// tail q, slot word w: row 9*TopBlocks, column ((w>>2)&amp;31) + 32*(w>>7) + 1024*q
/// </code>
/// </summary>
internal sealed class WindowLayout
{
    /// <summary>Bytes of data that one unit proves.</summary>
    public const int UnitBytes = 64;

    /// <summary>Units 0..255 carry mask words, used or not (docs/proof-system.md sections 4 and 11).</summary>
    public const int MaskUnits = 256;

    /// <summary>Row groups of a unit slot: 1,152 words / 128.</summary>
    public const int UnitRowGroups = UnitCircuit.SlotWords / 128;

    /// <summary>Smallest and largest kappa.</summary>
    public const int MinKappa = 8, MaxKappa = 17;

    private readonly int[] _lengths;
    private readonly int[] _firstUnit;

    private WindowLayout(int[] lengths, int[] firstUnit, int kappa, int topBits)
    {
        _lengths = lengths;
        _firstUnit = firstUnit;
        Kappa = kappa;
        TopBits = topBits;
        TopBlocks = (Math.Max(UnitCount, MaskUnits) + UnitsPerBlock - 1) / UnitsPerBlock;
    }

    /// <summary>A window addresses 2^Kappa units.</summary>
    public int Kappa { get; }

    /// <summary>e: top bits of the unit index that are row coordinates.</summary>
    public int TopBits { get; }

    /// <summary>E: blocks of units that are present, 1 to 2^e.</summary>
    public int TopBlocks { get; }

    /// <summary>2^(kappa-e) units in a block.</summary>
    public int UnitsPerBlock => 1 << (Kappa - TopBits);

    /// <summary>Units that carry data.</summary>
    public int UnitCount => _firstUnit[^1];

    /// <summary>Units in the matrix, the unused ones of present blocks included.</summary>
    public int PresentUnits => TopBlocks * UnitsPerBlock;

    /// <summary>Chunks, and so tails in use.</summary>
    public int ChunkCount => _lengths.Length;

    /// <summary>Tails in the matrix, 2^(kappa-e-5).</summary>
    public int PresentTails => 1 << (Kappa - TopBits - 5);

    /// <summary>n: packed elements in a row, 2^(kappa-e+5).</summary>
    public int RowLength => 1 << (Kappa - TopBits + 5);

    /// <summary>9*E rows of units and the row of tails.</summary>
    public int RowCount => UnitRowGroups * TopBlocks + 1;

    /// <summary>The row of tails, the last one.</summary>
    public int TailRow => UnitRowGroups * TopBlocks;

    /// <summary>Lays a window out, or says in one sentence why it does not fit.</summary>
    /// <param name="lengths">Bytes of each chunk, in table order.</param>
    /// <param name="kappa">8 to 16.</param>
    /// <param name="topBits">0 to kappa-5.</param>
    /// <param name="reason">Null on success.</param>
    public static WindowLayout? TryCreate(ReadOnlySpan<int> lengths, int kappa, int topBits, out string? reason)
    {
        if (kappa is < MinKappa or > MaxKappa || topBits < 0 || topBits > kappa - 5)
        {
            reason = $"A window of shape kappa={kappa}, e={topBits} does not exist; kappa is {MinKappa} to {MaxKappa} and e is 0 to kappa-5.";
            return null;
        }

        int tails = 1 << (kappa - topBits - 5);
        if (lengths.Length < 1 || lengths.Length > tails)
        {
            reason = $"The window has {lengths.Length} chunks; this shape holds 1 to {tails}.";
            return null;
        }

        var firstUnit = new int[lengths.Length + 1];
        for (int chunk = 0; chunk < lengths.Length; chunk++)
        {
            if (lengths[chunk] is < 1 or > ChunkStatement.MaxLength)
            {
                reason = $"Chunk {chunk} is {lengths[chunk]} bytes long; a chunk has 1 to {ChunkStatement.MaxLength} bytes.";
                return null;
            }

            // At most 2^11 chunks of 2^15 units: no overflow.
            firstUnit[chunk + 1] = firstUnit[chunk] + lengths[chunk] / UnitBytes;
        }

        if (firstUnit[^1] > 1 << kappa)
        {
            reason = $"The window has {firstUnit[^1]} units of 64 bytes; this shape holds {1 << kappa}.";
            return null;
        }

        reason = null;
        return new WindowLayout(lengths.ToArray(), firstUnit, kappa, topBits);
    }

    /// <summary>Bytes of a chunk.</summary>
    public int Length(int chunk) => _lengths[chunk];

    /// <summary>Index of the first unit of a chunk (of the next chunk that has one, if it has none).</summary>
    public int FirstUnit(int chunk) => _firstUnit[chunk];

    /// <summary>Number of full 64-byte blocks of a chunk; may be 0.</summary>
    public int UnitsOf(int chunk) => _firstUnit[chunk + 1] - _firstUnit[chunk];

    /// <summary>Bytes of a chunk in its tail, 0 to 63.</summary>
    public int TailBytes(int chunk) => _lengths[chunk] % UnitBytes;

    /// <summary>The chunk that unit <paramref name="i"/> belongs to, or -1 for an unused unit.</summary>
    public int ChunkOfUnit(int i)
    {
        if (i >= UnitCount)
            return -1;
        // The last chunk that starts at or below i: chunks without units start where their successor does.
        int low = 0, high = ChunkCount - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_firstUnit[middle] <= i)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    /// <summary>True when unit <paramref name="i"/> is the first of its chunk.</summary>
    public bool StartsChunk(int i) => i < UnitCount && _firstUnit[ChunkOfUnit(i)] == i;

    /// <summary>True when unit <paramref name="i"/> is the last of its chunk.</summary>
    public bool EndsChunk(int i) => i < UnitCount && (i + 1 == UnitCount || StartsChunk(i + 1));

    /// <summary>Matrix row of row group <paramref name="h"/> (0..8) of unit <paramref name="i"/>.</summary>
    public int Row(int h, int i) => h * TopBlocks + (i >> (Kappa - TopBits));

    /// <summary>Matrix column of packed element <paramref name="p"/> (0..31) of unit <paramref name="i"/>.</summary>
    public int Column(int p, int i) => p + 32 * (i & (UnitsPerBlock - 1));

    /// <summary>Matrix column of packed element <paramref name="element"/> (0..1023, slot word / 4) of tail <paramref name="q"/>.</summary>
    public static int TailColumn(int element, int q) => element + 1024 * q;
}

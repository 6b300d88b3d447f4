using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// Runs a circuit over many slots at once: a tile of 32 slots is walked like one, each word of it being 32 words side by
/// side. The same results as <see cref="Circuit"/> slot by slot, for any bits. Slots lie one after the other, each on whole
/// cache lines of 64 bytes. What does not make a tile goes slot by slot: the rest of a count, and circuits with 64-bit words.
/// </summary>
internal sealed unsafe class TiledWalk
{
    /// <summary>Slots of a tile.</summary>
    public const int TileSlots = 32;

    /// <summary>32-bit words of a slot's links: those of h_in, key and h_out, eight each.</summary>
    public const int LinkWords = Circuit.LinkCount * Circuit.LinkWords;

    private const int TileWord = TileSlots * sizeof(uint);
    private const int PrefetchWords = 4 * TileProgram.GroupWords;
    private const int GroupSize = TileProgram.GroupWords * TileWord;

    private readonly Circuit _circuit;
    private readonly Plan? _fill, _forms, _links;

    /// <summary>Prepares a circuit.</summary>
    public TiledWalk(Circuit circuit)
    {
        _circuit = circuit;
        if (!TileProgram.IsSupported(circuit))
            return;
        _fill = new Plan(TileProgram.Create(circuit, TilePurpose.Fill));
        _forms = new Plan(TileProgram.Create(circuit, TilePurpose.Forms));
        _links = new Plan(TileProgram.Create(circuit, TilePurpose.Links));
    }

    /// <summary>The walk over units, built once.</summary>
    public static TiledWalk Unit { get; } = new(UnitCircuit.Instance);

    /// <summary>The walk over tails, built once.</summary>
    public static TiledWalk Tail { get; } = new(TailCircuit.Instance);

    /// <summary>Fills all AND words of consecutive slots with their honest values; the input words must be there.</summary>
    /// <param name="slots">The first slot, aligned to 64 bytes.</param>
    /// <param name="count">Slots.</param>
    /// <param name="bypassCache">Whether the values go past the caches: for whole windows, not for tiles that are used at once.</param>
    public void Fill(uint* slots, int count, bool bypassCache = false) => Fill(slots, count, bypassCache, Blake3Batch.PreferredLanes);

    /// <summary>
    /// The values of the forms a and b of every committed bit, linear in the committed bits as they stand, and the links, if
    /// they are wanted. Every word of <paramref name="a"/> and <paramref name="b"/> is written.
    /// </summary>
    /// <param name="slots">The first slot, aligned to 64 bytes.</param>
    /// <param name="count">Slots.</param>
    /// <param name="a">As many words as the slots, aligned to 64 bytes.</param>
    /// <param name="b">The same.</param>
    /// <param name="links"><see cref="LinkWords"/> words for each slot, or null.</param>
    /// <param name="bypassCache">Whether a and b go past the caches: for whole windows, not for tiles that are used at once.</param>
    public void Forms(uint* slots, int count, uint* a, uint* b, uint* links = null, bool bypassCache = false) =>
        Forms(slots, count, a, b, links, bypassCache, Blake3Batch.PreferredLanes);

    /// <summary>The links of consecutive slots as they stand.</summary>
    /// <param name="slots">The first slot, aligned to 64 bytes.</param>
    /// <param name="count">Slots.</param>
    /// <param name="links"><see cref="LinkWords"/> words for each slot.</param>
    public void Links(uint* slots, int count, uint* links) => Links(slots, count, links, Blake3Batch.PreferredLanes);

    internal void Fill(uint* slots, int count, bool bypassCache, int lanes)
    {
        for (int i = Run<FillPurpose>(_fill, new Tiles(slots, null, null, null, bypassCache), count, lanes); i < count; i++)
            _circuit.Evaluate(Slot(slots, i));
    }

    internal void Forms(uint* slots, int count, uint* a, uint* b, uint* links, bool bypassCache, int lanes)
    {
        for (int i = Run<FormsPurpose>(_forms, new Tiles(slots, a, b, links, bypassCache), count, lanes); i < count; i++)
        {
            // Everything is linear in the slot's bits, so an unused slot needs no walk.
            if (Slot(slots, i).ContainsAnyExcept(0u))
            {
                _circuit.Forms(Slot(slots, i), Slot(a, i), Slot(b, i));
            }
            else
            {
                Slot(a, i).Clear();
                Slot(b, i).Clear();
            }

            if (links != null)
                SlotLinks(slots, i, links);
        }
    }

    internal void Links(uint* slots, int count, uint* links, int lanes)
    {
        for (int i = Run<LinksPurpose>(_links, new Tiles(slots, null, null, links, false), count, lanes); i < count; i++)
            SlotLinks(slots, i, links);
    }

    private void SlotLinks(uint* slots, int i, uint* links)
    {
        for (int kind = 0; kind < Circuit.LinkCount; kind++)
            _circuit.Link((LinkKind)kind, Slot(slots, i), new Span<uint>(links + (nint)i * LinkWords + kind * Circuit.LinkWords, Circuit.LinkWords));
    }

    private Span<uint> Slot(uint* slots, int i) => new(slots + (nint)i * _circuit.SlotWords, _circuit.SlotWords);

    // Walks the whole tiles among the slots and returns how many slots these are.
    private int Run<TPurpose>(Plan? plan, Tiles tiles, int count, int lanes)
        where TPurpose : struct, IPurpose
    {
        int whole = count / TileSlots;
        if (plan == null || whole == 0)
            return 0;
        switch (lanes)
        {
            case >= 16: Run<Lanes16, TPurpose>(plan, tiles, whole); break;
            case >= 8: Run<Lanes8, TPurpose>(plan, tiles, whole); break;
            case >= 4: Run<Lanes4, TPurpose>(plan, tiles, whole); break;
            default: Run<Lanes1, TPurpose>(plan, tiles, whole); break;
        }

        return whole * TileSlots;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run<T, TPurpose>(Plan plan, Tiles tiles, int count)
        where T : unmanaged, ILanes<T>
        where TPurpose : struct, IPurpose
    {
        int buffers = TPurpose.Purpose == TilePurpose.Forms ? 3 : 1;
        int size = (plan.Registers + LinkWords) * TileWord + buffers * plan.Buffers * GroupSize;
        byte* memory = stackalloc byte[size + 64];
        byte* r = (byte*)(((nuint)memory + 63) & ~(nuint)63);
        byte* z = r + plan.Registers * TileWord, a = z + plan.Buffers * GroupSize, b = a + plan.Buffers * GroupSize;
        byte* links = z + buffers * plan.Buffers * GroupSize;
        Unsafe.InitBlock(r, 0, TileWord);
        Unsafe.InitBlock(links, 0, LinkWords * TileWord);
        fixed (TileOperation* program = plan.Operations)
        {
            nint slot = (nint)_circuit.SlotWords * sizeof(uint);
            for (int tile = 0; tile < count; tile++)
            {
                Walk<T, TPurpose>(program, r, z, a, b, links, tiles, slot);
                if (tiles.Links != null)
                    StoreLinks(links, tiles.Links);
                tiles = tiles.Next(slot);
            }
        }

        // Stores past the caches are ordered by nothing else.
        if (tiles.BypassCache && Sse.IsSupported)
            Sse.StoreFence();
        new Span<byte>(r, size).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Walk<T, TPurpose>(TileOperation* op, byte* r, byte* z, byte* a, byte* b, byte* links, in Tiles tiles, nint slot)
        where T : unmanaged, ILanes<T>
        where TPurpose : struct, IPurpose
    {
        int vectors = TileSlots / T.Count;
        for (; ; op++)
        {
            T* target = (T*)(r + op->Target * TileWord), x = (T*)(r + op->A * TileWord), y = (T*)(r + op->B * TileWord);
            switch (op->Code)
            {
                case TileCode.End:
                    return;
                case TileCode.LoadGroup:
                    if (TPurpose.Purpose != TilePurpose.Fill)
                        Prefetch(tiles.Slots, op->Word + PrefetchWords, slot);
                    Load(tiles.Slots + op->Word, slot, z + op->Target * GroupSize);
                    break;
                case TileCode.StoreGroup:
                    Store(z + op->Target * GroupSize, tiles.Slots + op->Word, slot, tiles.BypassCache);
                    break;
                case TileCode.ClearForms:
                    Unsafe.InitBlock(a + op->Target * GroupSize, 0, GroupSize);
                    Unsafe.InitBlock(b + op->Target * GroupSize, 0, GroupSize);
                    break;
                case TileCode.StoreForms:
                    Store(a + op->Target * GroupSize, tiles.A + op->Word, slot, tiles.BypassCache);
                    Store(b + op->Target * GroupSize, tiles.B + op->Word, slot, tiles.BypassCache);
                    break;
                case TileCode.Input:
                    {
                        T* word = (T*)(z + op->Word * TileWord), wordA = (T*)(a + op->Word * TileWord), wordB = (T*)(b + op->Word * TileWord);
                        for (int i = 0; i < vectors; i++)
                        {
                            target[i] = word[i];
                            if (TPurpose.Purpose == TilePurpose.Forms)
                                wordA[i] = wordB[i] = word[i];
                        }

                        break;
                    }

                case TileCode.Constant:
                    {
                        T constant = T.Broadcast(op->Low | ((uint)op->High << 16));
                        for (int i = 0; i < vectors; i++)
                            target[i] = x[i] & constant;
                        break;
                    }

                case TileCode.Xor:
                    for (int i = 0; i < vectors; i++)
                        target[i] = x[i] ^ y[i];
                    break;
                case TileCode.Rotate:
                    for (int i = 0; i < vectors; i++)
                        target[i] = T.RotateRightBy(x[i], op->Low);
                    break;
                case TileCode.XorRotate:
                    for (int i = 0; i < vectors; i++)
                        target[i] = T.RotateRightBy(x[i] ^ y[i], op->Low);
                    break;
                case TileCode.Sigma:
                    for (int i = 0; i < vectors; i++)
                        target[i] = T.RotateRightBy(x[i], op->Low) ^ T.RotateRightBy(x[i], op->High) ^ T.RotateRightBy(x[i], op->C);
                    break;
                case TileCode.SigmaShift:
                    for (int i = 0; i < vectors; i++)
                        target[i] = T.RotateRightBy(x[i], op->Low) ^ T.RotateRightBy(x[i], op->High) ^ (x[i] >> op->C);
                    break;
                case TileCode.Shift:
                    for (int i = 0; i < vectors; i++)
                        target[i] = x[i] >> op->Low;
                    break;
                case TileCode.ByteSwap:
                    for (int i = 0; i < vectors; i++)
                        target[i] = T.ReverseBytes(x[i]);
                    break;
                case TileCode.Broadcast:
                    for (int i = 0; i < vectors; i++)
                        target[i] = T.SpreadLowBit(x[i]);
                    break;
                case TileCode.And:
                    {
                        T* x2 = y, second = (T*)(r + op->C * TileWord), second2 = (T*)(r + op->D * TileWord), added = (T*)(r + op->E * TileWord);
                        T* word = (T*)(z + op->Word * TileWord), wordA = (T*)(a + op->Word * TileWord), wordB = (T*)(b + op->Word * TileWord);
                        for (int i = 0; i < vectors; i++)
                        {
                            T left = x[i] ^ x2[i], right = second[i] ^ second2[i];
                            if (TPurpose.Purpose == TilePurpose.Fill)
                                word[i] = left & right;
                            if (TPurpose.Purpose == TilePurpose.Forms)
                                (wordA[i], wordB[i]) = (left, right);
                            target[i] = word[i] ^ added[i];
                        }

                        break;
                    }

                case TileCode.Add:
                    {
                        T* word = (T*)(z + op->Word * TileWord), wordA = (T*)(a + op->Word * TileWord), wordB = (T*)(b + op->Word * TileWord);
                        for (int i = 0; i < vectors; i++)
                        {
                            T left = x[i], right = y[i];
                            if (TPurpose.Purpose == TilePurpose.Fill)
                            {
                                // The carries in are left ^ right ^ sum, so each form is the other addend ^ sum.
                                T sum = left + right;
                                word[i] = (left ^ sum) & (right ^ sum);
                                target[i] = sum;
                            }
                            else
                            {
                                T carries = T.SumsBelow(word[i]);
                                if (TPurpose.Purpose == TilePurpose.Forms)
                                    (wordA[i], wordB[i]) = (left ^ carries, right ^ carries);
                                target[i] = left ^ right ^ carries;
                            }
                        }

                        break;
                    }

                case TileCode.Link:
                    {
                        T* link = (T*)(links + op->Low * TileWord);
                        for (int i = 0; i < vectors; i++)
                            link[i] = x[i];
                        break;
                    }
            }
        }
    }

    // The lines that are loaded a little later, in this tile or in the next one: they lie too far apart for the machine to see
    // them coming. Addresses beyond the last tile do no harm.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(uint* slots, int word, nint slot)
    {
        if (!Sse.IsSupported)
            return;
        byte* line = (byte*)(slots + word);
        if (word * sizeof(uint) >= slot)
            line += (TileSlots - 1) * slot;
        for (int i = 0; i < TileSlots; i++, line += slot)
            Sse.Prefetch0(line);
    }

    // One line of each of the 32 slots to sixteen tile words, and back.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Load(uint* lines, nint slot, byte* group)
    {
        WordTranspose.Square16((byte*)lines, slot, group, TileWord);
        WordTranspose.Square16((byte*)lines + TileSlots / 2 * slot, slot, group + TileWord / 2, TileWord);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Store(byte* group, uint* lines, nint slot, bool bypassCache)
    {
        WordTranspose.Square16(group, TileWord, (byte*)lines, slot, bypassCache);
        WordTranspose.Square16(group + TileWord / 2, TileWord, (byte*)lines + TileSlots / 2 * slot, slot, bypassCache);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreLinks(byte* group, uint* links)
    {
        for (int unit = 0; unit < TileSlots; unit += Circuit.LinkWords)
            for (int word = 0; word < LinkWords; word += Circuit.LinkWords)
                WordTranspose.Square8(group + word * TileWord + unit * sizeof(uint), TileWord, (byte*)(links + unit * LinkWords + word), LinkWords * sizeof(uint));
    }

    /// <summary>Where the next tile's slots, forms and links lie.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly struct Tiles(uint* slots, uint* a, uint* b, uint* links, bool bypassCache)
    {
        public readonly uint* Slots = slots, A = a, B = b, Links = links;
        public readonly bool BypassCache = bypassCache;

        public Tiles Next(nint slot)
        {
            nint step = TileSlots * slot / sizeof(uint);
            return new Tiles(Slots + step, A == null ? null : A + step, B == null ? null : B + step, Links == null ? null : Links + TileSlots * LinkWords, BypassCache);
        }
    }

    private sealed class Plan(TileProgram program)
    {
        public readonly TileOperation[] Operations = program.Operations;
        public readonly int Registers = program.Registers, Buffers = program.Buffers;
    }

    // The purpose is chosen by type, so that each instance of the walk is compiled without the others' branches.
    private interface IPurpose
    {
        static abstract TilePurpose Purpose { get; }
    }

    private readonly struct FillPurpose : IPurpose
    {
        public static TilePurpose Purpose => TilePurpose.Fill;
    }

    private readonly struct FormsPurpose : IPurpose
    {
        public static TilePurpose Purpose => TilePurpose.Forms;
    }

    private readonly struct LinksPurpose : IPurpose
    {
        public static TilePurpose Purpose => TilePurpose.Links;
    }
}

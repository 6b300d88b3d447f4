namespace Lockstep.Proofs.Kernels;

/// <summary>
/// The products and butterflies of the additive transform on runs of whole 64-byte lines, four elements in tower
/// coordinates each. One factor serves a run, so a run may hold any number of rows and positions.
/// </summary>
/// <remarks>
/// A path may keep lines in an order of bytes of its own, the same for all lines: <see cref="Enter"/> and
/// <see cref="Leave"/> convert. The argument <c>products</c> is <see cref="Twiddle.Products"/> of the layer.
/// </remarks>
internal unsafe interface IButterflies
{
    /// <summary>From elements to the order of the path.</summary>
    static abstract void Enter(byte* lines, nint bytes);

    /// <summary>From the order of the path to elements.</summary>
    static abstract void Leave(byte* lines, nint bytes);

    /// <summary>low += w high; high += low.</summary>
    static abstract void Forward(byte* low, byte* high, nint bytes, Twiddle w, int products);

    /// <summary>Two layers of a block of four adjoining runs: the upper with factor w, the lower with w0 and w1.</summary>
    static abstract void Forward4(byte* block, nint bytes, Twiddle w, Twiddle w0, Twiddle w1, int products);

    /// <summary>low += high; high += w low.</summary>
    static abstract void Transposed(byte* low, byte* high, nint bytes, Twiddle w, int products);

    /// <summary>target = w source.</summary>
    static abstract void Multiply(byte* source, byte* target, nint bytes, Twiddle w, int products);
}

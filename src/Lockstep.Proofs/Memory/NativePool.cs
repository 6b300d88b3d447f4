using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Lockstep.Proofs.Memory;

/// <summary>
/// Large arrays outside the managed heap, kept for the next proof: aligned to 64 bytes, on huge pages where the system has
/// them. A block is overwritten when it is given back, so that nothing of a proof outlives it.
/// </summary>
internal sealed unsafe partial class NativePool : IDisposable
{
    private const nuint Granule = 2 << 20;
    private const int AdviseHugePages = 14, AdviseNoDump = 16;
    private const long PageBytes = 4096;

    private readonly List<NativeBlock> _free = [];
    private bool _disposed;

    /// <summary>The pool of this process.</summary>
    public static NativePool Shared { get; } = new();

    /// <summary>Bytes held, in use or not.</summary>
    public long BytesHeld { get; private set; }

    /// <summary>A block of at least <paramref name="bytes"/> bytes; what it holds is undefined. Disposing it gives it back.</summary>
    public NativeBlock Rent(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 0);
        lock (_free)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);

            // The smallest that is large enough, but none of more than twice the size: it may be needed as it is.
            NativeBlock? best = null;
            foreach (NativeBlock block in _free)
                if (block.Capacity >= bytes && block.Capacity <= 2 * Math.Max(bytes, (long)Granule) && (best == null || block.Capacity < best.Capacity))
                    best = block;
            if (best != null)
            {
                // A new object, so that a stale reference to the old one cannot give the memory back again.
                _free.Remove(best);
                return new NativeBlock(this, best.Memory, best.Capacity, bytes);
            }
        }

        return Allocate(bytes);
    }

    /// <summary>
    /// Has blocks of these sizes ready, their pages taken from the system already: on some machines that costs more than what is
    /// then done in them.
    /// </summary>
    /// <param name="sizes">Bytes of each block.</param>
    /// <param name="cancellation">Ends the work early; what is there by then stays.</param>
    public void Reserve(IReadOnlyList<long> sizes, CancellationToken cancellation)
    {
        var blocks = new List<NativeBlock>();
        foreach (long bytes in sizes)
        {
            if (cancellation.IsCancellationRequested)
                break;
            NativeBlock block = Rent(bytes);
            blocks.Add(block);
            for (long at = 0; at < block.Capacity && !cancellation.IsCancellationRequested; at += PageBytes)
                NativeMemory.Clear(block.Memory + at, (nuint)PageBytes);
        }

        blocks.ForEach(GiveBack);
    }

    /// <summary>Blocks that are not in use.</summary>
    internal int FreeBlocks
    {
        get
        {
            lock (_free)
                return _free.Count;
        }
    }

    /// <summary>Whether every block that is not in use holds zeros only: for the tests of what a proof leaves behind.</summary>
    internal bool IsFreeClear()
    {
        lock (_free)
            return _free.TrueForAll(block => block.IsClear());
    }

    /// <summary>Frees all blocks that are not in use.</summary>
    public void Trim()
    {
        lock (_free)
        {
            foreach (NativeBlock block in _free)
                Free(block);
            _free.Clear();
        }
    }

    /// <summary>Frees what is not in use; blocks still in use are freed when they are given back.</summary>
    public void Dispose()
    {
        lock (_free)
            _disposed = true;
        Trim();
    }

    internal void GiveBack(NativeBlock block)
    {
        lock (_free)
        {
            if (_disposed)
                Free(block);
            else
                _free.Add(block);
        }
    }

    private NativeBlock Allocate(long bytes)
    {
        nuint capacity = ((nuint)Math.Max(bytes, 1) + Granule - 1) / Granule * Granule;
        void* memory = NativeMemory.AlignedAlloc(capacity, Granule);
        if (OperatingSystem.IsLinux())
        {
            // Best effort: fewer page faults, and no secrets in a crash dump.
            _ = Advise(memory, capacity, AdviseHugePages);
            _ = Advise(memory, capacity, AdviseNoDump);
        }

        // What is asked for is overwritten when it is given back; the rest must not show what stood there before.
        NativeMemory.Clear((byte*)memory + bytes, capacity - (nuint)bytes);
        lock (_free)
            BytesHeld += (long)capacity;
        return new NativeBlock(this, (byte*)memory, (long)capacity, bytes);
    }

    private void Free(NativeBlock block)
    {
        BytesHeld -= block.Capacity;
        NativeMemory.AlignedFree(block.Memory);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}

/// <summary>One rented block. Disposing it overwrites its bytes and gives it back.</summary>
internal sealed unsafe class NativeBlock : IDisposable
{
    private const long StreamFrom = 1 << 20;

    private readonly NativePool _pool;
    private bool _rented = true;

    internal NativeBlock(NativePool pool, byte* memory, long capacity, long length)
    {
        _pool = pool;
        Length = length;
        Memory = memory;
        Capacity = capacity;
    }

    /// <summary>Bytes asked for.</summary>
    public long Length { get; }

    /// <summary>First byte, aligned to 64 bytes.</summary>
    public byte* Memory { get; }

    internal long Capacity { get; }

    /// <summary>The block as elements.</summary>
    public T* As<T>()
        where T : unmanaged => (T*)Memory;

    /// <summary>Part of the block.</summary>
    public Span<T> Span<T>(long start, int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((start + count) * sizeof(T), Length);
        return new Span<T>((T*)Memory + start, count);
    }

    /// <summary>Overwrites the block with zeros, on all the given threads.</summary>
    public void Clear(Workers workers)
    {
        const int Piece = 8 << 20;
        long length = Length;
        byte* memory = Memory;
        workers.For((int)((length + Piece - 1) / Piece), 1, (start, end) =>
        {
            for (long at = (long)start * Piece; at < Math.Min((long)end * Piece, length); at += Piece)
                ClearPiece(memory + at, Math.Min(Piece, length - at));
        });
    }

    // Past the caches: nobody reads the zeros, and the next proof's first lines may stay.
    private static void ClearPiece(byte* memory, long length)
    {
        long done = 0;
        if (Vector256.IsHardwareAccelerated && length >= StreamFrom)
        {
            Vector256<byte> zero = Vector256<byte>.Zero;
            for (; done + 64 <= length; done += 64)
            {
                zero.StoreAlignedNonTemporal(memory + done);
                zero.StoreAlignedNonTemporal(memory + done + 32);
            }

            Thread.MemoryBarrier();
        }

        NativeMemory.Clear(memory + done, (nuint)(length - done));
    }

    internal bool IsClear()
    {
        for (long at = 0; at < Capacity; at += 1 << 20)
            if (new Span<byte>(Memory + at, (int)Math.Min(1 << 20, Capacity - at)).ContainsAnyExcept((byte)0))
                return false;
        return true;
    }

    /// <summary>Overwrites the block and gives it back; a second call does nothing.</summary>
    public void Dispose()
    {
        if (!_rented)
            return;
        _rented = false;
        Clear(new Workers(Environment.ProcessorCount));
        _pool.GiveBack(this);
    }
}

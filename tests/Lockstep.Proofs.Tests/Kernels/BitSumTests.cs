using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Tests.Kernels;

/// <summary>Sums over slots and forms of slots, against their definitions bit by bit.</summary>
public sealed unsafe class BitSumTests
{
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 64, 64 }, { 7, 128, 192 }, { 8, 64, 64 }, { 33, 192, 192 }, { 128, 640, 640 }, { 129, 64, 128 }, { 300, 704, 768 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Sums_over_slots(int count, int slotBytes, int stride)
    {
        using NativeBlock slots = Random((long)count * stride), sums = NativePool.Shared.Rent(8L * slotBytes * Gf128.Size);
        Gf128[] weights = Elements(count);
        BitSums.Compute(slots.Memory, stride, slotBytes, weights, sums.As<Gf128>(), new Workers(2));
        for (int j = 0; j < 8 * slotBytes; j++)
        {
            Gf128 expected = default;
            for (int i = 0; i < count; i++)
                expected += weights[i].IfBit((uint)slots.Memory[i * stride + j / 8] >> (j & 7));
            Assert.Equal(expected, sums.As<Gf128>()[j]);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Forms_of_slots(int count, int slotBytes, int stride)
    {
        using NativeBlock slots = Random((long)count * stride), values = NativePool.Shared.Rent((long)count * Gf128.Size);
        Gf128[] weights = Elements(8 * slotBytes);
        SlotForms.Compute(slots.Memory, stride, slotBytes, count, weights, values.As<Gf128>(), new Workers(2));
        for (int i = 0; i < count; i++)
        {
            Gf128 expected = default;
            for (int j = 0; j < 8 * slotBytes; j++)
                expected += weights[j].IfBit((uint)slots.Memory[i * stride + j / 8] >> (j & 7));
            Assert.Equal(expected, values.As<Gf128>()[i]);
        }
    }

    internal static NativeBlock Random(long bytes, int seed = 1)
    {
        NativeBlock block = NativePool.Shared.Rent(bytes);
        new Random(seed).NextBytes(block.Span<byte>(0, (int)bytes));
        return block;
    }

    internal static Gf128[] Elements(int count, int seed = 2)
    {
        var random = new Random(seed);
        var elements = new Gf128[count];
        for (int i = 0; i < count; i++)
            elements[i] = new Gf128((ulong)random.NextInt64() << 1 ^ (ulong)random.NextInt64(), (ulong)random.NextInt64() << 1 ^ (ulong)random.NextInt64());
        return elements;
    }
}

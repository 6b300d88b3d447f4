using System.Buffers.Binary;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments.Messages;

/// <summary>The number of an exported method, made from its name (FRC-42).</summary>
public static class MethodNumber
{
    /// <summary>Numbers below it belong to each actor's own table.</summary>
    public const ulong FirstExported = 1 << 24;

    /// <summary>The first big-endian group of four bytes in BLAKE2b-512("1|" + name) that is at least 2^24.</summary>
    public static ulong Of(string name)
    {
        byte[] digest = Blake2b.Hash512(System.Text.Encoding.ASCII.GetBytes("1|" + name));
        for (int i = 0; i < digest.Length; i += 4)
        {
            uint candidate = BinaryPrimitives.ReadUInt32BigEndian(digest.AsSpan(i));
            if (candidate >= FirstExported)
                return candidate;
        }
        throw new ArgumentException($"The name '{name}' has no method number.", nameof(name));
    }
}

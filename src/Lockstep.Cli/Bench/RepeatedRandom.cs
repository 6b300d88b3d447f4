using System.Buffers.Binary;
using System.Security.Cryptography;
using Lockstep.Proofs.Randomness;

namespace Lockstep.Cli.Bench;

/// <summary>
/// The same bytes every time, so that whole proofs can be compared from one process to the next. Proofs made with it hide
/// nothing: it serves <c>bench digest</c>, which throws them away, and nothing else.
/// </summary>
internal sealed class RepeatedRandom : ISecretRandom
{
    private ulong _block;

    public void Fill(Span<byte> destination)
    {
        Span<byte> counter = stackalloc byte[sizeof(ulong)], digest = stackalloc byte[SHA256.HashSizeInBytes];
        while (!destination.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(counter, _block++);
            SHA256.HashData(counter, digest);
            int taken = Math.Min(destination.Length, digest.Length);
            digest[..taken].CopyTo(destination);
            destination = destination[taken..];
        }
    }
}

using System.Security.Cryptography;

namespace Lockstep.Proofs.Randomness;

/// <summary>The operating system's generator.</summary>
public sealed class SystemRandom : ISecretRandom
{
    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}

namespace Lockstep.Proofs.Randomness;

/// <summary>A source of secret, uniform, unpredictable bytes.</summary>
public interface ISecretRandom
{
    /// <summary>Overwrites every byte of <paramref name="destination"/>.</summary>
    void Fill(Span<byte> destination);
}

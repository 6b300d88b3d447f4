namespace Lockstep.Proofs;

/// <summary>The hash function of a lock y = hash(k). The byte values are part of the statement's encoding.</summary>
public enum LockHash : byte
{
    /// <summary>SHA-256, for EVM rails and the embedded ledger.</summary>
    Sha256 = 1,

    /// <summary>BLAKE2b with a 32-byte digest, for Filecoin's payment-channel actor.</summary>
    Blake2b256 = 2,
}

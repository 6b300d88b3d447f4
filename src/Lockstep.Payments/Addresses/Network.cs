namespace Lockstep.Payments.Addresses;

/// <summary>The network letter of an address's text. It is in no address's bytes, and so in no signature.</summary>
public enum Network
{
    /// <summary><c>f…</c></summary>
    Main,

    /// <summary><c>t…</c></summary>
    Test,
}

/// <summary>The first byte of an address, which says what follows.</summary>
public enum AddressProtocol : byte
{
    /// <summary>f0: an actor's number.</summary>
    Id = 0,

    /// <summary>f1: BLAKE2b-160 of a secp256k1 public key.</summary>
    Secp256k1 = 1,

    /// <summary>f2: BLAKE2b-160 of what created the actor.</summary>
    Actor = 2,

    /// <summary>f3: a BLS public key.</summary>
    Bls = 3,

    /// <summary>f4: a name inside the namespace of another actor.</summary>
    Delegated = 4,
}

using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Retrieval.Protocol;

/// <summary>Every limit on what a peer may send, in one place. Lengths are checked before anything is allocated from them.</summary>
public static class WireLimits
{
    /// <summary>Largest frame or message, in bytes: a link block and its claims, or a bitmap, fits.</summary>
    public const int MaxFrameBytes = 8 << 20;

    /// <summary>Bytes in deal ids, fingerprints, seal ids, locks and keys.</summary>
    public const int HashBytes = 32;

    /// <summary>Bytes in a cipher nonce.</summary>
    public const int NonceBytes = 12;

    /// <summary>Longest binary CID, in bytes.</summary>
    public const int MaxCidBytes = Cid.MaxBytes;

    /// <summary>Longest account, channel, rail or suite name, in characters.</summary>
    public const int MaxNameLength = 128;

    /// <summary>Longest sentence for people, in characters.</summary>
    public const int MaxSentenceLength = 1024;

    /// <summary>Longest amount of money, in decimal digits: far above any supply.</summary>
    public const int MaxAmountDigits = 60;

    /// <summary>Longest voucher, in bytes.</summary>
    public const int MaxVoucherBytes = 1024;

    /// <summary>Longest signature over a proposal or an offer, in bytes.</summary>
    public const int MaxSignatureBytes = 256;

    /// <summary>Most locks that can be open at once, so most lanes of a deal.</summary>
    public const int MaxOpenLocks = 64;

    /// <summary>Most chunks under one proof.</summary>
    public const int MaxChunksPerWindow = 64;

    /// <summary>Most chunks in one deal.</summary>
    public const int MaxChunks = 1 << 22;

    /// <summary>Most windows that an attaching client may name as held.</summary>
    public const int MaxWindowsHeld = 4096;

    /// <summary>Most windows of credit on one stream.</summary>
    public const int MaxCredit = 1 << 24;

    /// <summary>Largest leaf block, in bytes.</summary>
    public const int MaxLeafBytes = BlockLimits.MaxLeafBytes;

    /// <summary>Largest link block, in bytes.</summary>
    public const int MaxLinkBlockBytes = BlockLimits.MaxLinkBlockBytes;

    /// <summary>Most leaves claimed with one link block: as many as it can link to.</summary>
    public const int MaxLeafClaims = 1 << 16;

    /// <summary>Largest part of a ciphertext or proof, in bytes.</summary>
    public const int MaxPartBytes = 256 << 10;

    /// <summary>Largest proof of one window, in bytes: what verifiers accept by default.</summary>
    public const int MaxProofBytes = 4 << 20;

    /// <summary>Most chunks whose keys can be asked for, or that can be skipped, in one message.</summary>
    public const int MaxKeyRequests = 1024;

    /// <summary>Most suites, lock hashes or rails in an ask.</summary>
    public const int MaxAskItems = 32;

    /// <summary>Longest lock expiry, in epochs: about a year of 30 s epochs.</summary>
    public const long MaxLockExpiryEpochs = 1 << 20;
}

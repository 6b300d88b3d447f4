namespace Lockstep.Content;

/// <summary>What kind of thing went wrong with content; the sentence for people is in <see cref="ContentError.Message"/>.</summary>
public enum ContentErrorKind
{
    /// <summary>A CID's text or bytes do not follow the CID specification.</summary>
    BadCid,

    /// <summary>A block is named by a hash other than sha2-256.</summary>
    UnsupportedHash,

    /// <summary>A block's bytes do not hash to its CID.</summary>
    DigestMismatch,

    /// <summary>A block without links is larger than <see cref="Blocks.BlockLimits.MaxLeafBytes"/>.</summary>
    LeafTooLarge,

    /// <summary>A block with links is larger than <see cref="Blocks.BlockLimits.MaxLinkBlockBytes"/>.</summary>
    LinkBlockTooLarge,

    /// <summary>A stream ended in the middle of something.</summary>
    Truncated,

    /// <summary>A CAR's header is not one.</summary>
    BadCarHeader,

    /// <summary>A CAR's section has an impossible length or no readable CID.</summary>
    BadCarSection,

    /// <summary>A block cannot be decoded by the codec its CID names.</summary>
    BadBlock,

    /// <summary>A UnixFS node is malformed or contradicts itself.</summary>
    BadUnixFs,

    /// <summary>A sound block that is not UnixFS was met where a file or folder was expected.</summary>
    NotUnixFs,

    /// <summary>A UnixFS feature, or a kind of file on disk, that is not handled.</summary>
    Unsupported,

    /// <summary>A block is not in the store.</summary>
    MissingBlock,

    /// <summary>A block in the store no longer has the bytes its CID names.</summary>
    CorruptBlock,

    /// <summary>A block lies in a cold archive and must be brought back first.</summary>
    Cold,

    /// <summary>A graph is deeper, wider or larger than the limits allow.</summary>
    LimitExceeded,

    /// <summary>A block was offered that nothing asked for.</summary>
    Unexpected,

    /// <summary>A file name could leave the destination, or cannot be stored.</summary>
    UnsafeName,

    /// <summary>The bytes of a file do not add up to the size its DAG states.</summary>
    SizeMismatch,

    /// <summary>The destination exists already.</summary>
    DestinationExists,

    /// <summary>A file or folder is not there.</summary>
    NotFound,

    /// <summary>An option has a value outside its range.</summary>
    BadOption,

    /// <summary>A file of the store itself (root record, archive) is damaged.</summary>
    CorruptStore,

    /// <summary>The operating system refused to read or write.</summary>
    Io,
}

/// <summary>A refusal: its kind for programs, and one sentence for people (what was wrong, what was expected, what to do).</summary>
public sealed record ContentError(ContentErrorKind Kind, string Message)
{
    /// <summary>Turns an error of the file system into one sentence.</summary>
    /// <param name="action">What was being done, as in "read the file 'a.bin'".</param>
    internal static ContentError FromIo(string action, Exception error) => error switch
    {
        FileNotFoundException or DirectoryNotFoundException =>
            new(ContentErrorKind.NotFound, $"Could not {action}: there is no such file or folder; check the path."),
        UnauthorizedAccessException =>
            new(ContentErrorKind.Io, $"Could not {action}: permission was denied; check who owns it and its mode."),
        _ => new(ContentErrorKind.Io, $"Could not {action}: {Sentence(error.Message)}"),
    };

    /// <summary>True for the exceptions that the file system raises for reasons outside the program.</summary>
    internal static bool IsIo(Exception error) => error is IOException or UnauthorizedAccessException;

    private static string Sentence(string text)
    {
        string trimmed = text.ReplaceLineEndings(" ").TrimEnd();
        return trimmed.EndsWith('.') ? trimmed : trimmed + ".";
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind}: {Message}";
}

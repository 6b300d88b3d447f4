using System.Buffers;
using System.Text.Unicode;

namespace Lockstep.Content.UnixFs;

/// <summary>Which names of folder entries are accepted, coming in from a disk and going out to one.</summary>
internal static class EntryNames
{
    /// <summary>Longest name in bytes of UTF-8: what common file systems take.</summary>
    public const int MaxBytes = 255;

    /// <summary>Refuses every name that could name something other than a new entry of the folder it stands in.</summary>
    /// <returns>Null when the name is safe.</returns>
    public static ContentError? Refuse(string? name)
    {
        Span<byte> utf8 = stackalloc byte[MaxBytes];
        OperationStatus encoded = Utf8.FromUtf16(name, utf8, out _, out _, replaceInvalidSequences: false);
        string? reason = name switch
        {
            null or "" => "it is empty",
            "." or ".." => "it means another folder",
            _ when name.Contains('/', StringComparison.Ordinal) => "it contains '/'",
            _ when name.Contains('\0', StringComparison.Ordinal) => "it contains a zero byte",
            _ when OperatingSystem.IsWindows() && name.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0 => "this system does not allow its characters",
            _ when encoded == OperationStatus.InvalidData => "it is not valid Unicode text",
            _ when encoded != OperationStatus.Done => $"it is longer than {MaxBytes} bytes",
            _ => null,
        };
        return reason is null
            ? null
            : new ContentError(ContentErrorKind.UnsafeName, $"The name {Quote(name)} of a folder's entry is refused: {reason}.");
    }

    /// <summary>A name for a message: no control characters, not endless.</summary>
    public static string Quote(string? name)
    {
        string text = string.Concat((name ?? string.Empty).Take(80).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return $"'{text}{(name?.Length > 80 ? "…" : string.Empty)}'";
    }
}

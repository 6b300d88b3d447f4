using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Lockstep.Cli.Common;

/// <summary>Sizes in bytes as people write them: <c>262144</c>, <c>256KiB</c>, <c>1MiB</c>.</summary>
internal static class Sizes
{
    private static readonly (string Suffix, long Factor)[] Units =
        [("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("G", 1L << 30), ("M", 1L << 20), ("K", 1L << 10), ("B", 1)];

    public static bool TryParse(string text, out long bytes)
    {
        foreach ((string suffix, long factor) in Units)
            if (text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                return TryNumber(text.AsSpan(0, text.Length - suffix.Length), factor, out bytes);
        return TryNumber(text, 1, out bytes);
    }

    public static string Format(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.##} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.##} MiB"),
        >= 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 10):0.##} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
    };

    /// <summary>An option that takes a size from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public static Option<long> Option(string name, long value, string description, long min, long max) => new(name)
    {
        Description = $"{description} From {Format(min)} to {Format(max)}.",
        HelpName = "SIZE",
        DefaultValueFactory = _ => value,
        CustomParser = argument => Parse(name, argument, min, max),
    };

    /// <summary>The same without a default: null when it is not given.</summary>
    public static Option<long?> Optional(string name, string description, long min, long max) => new(name)
    {
        Description = $"{description} From {Format(min)} to {Format(max)}.",
        HelpName = "SIZE",
        CustomParser = argument => Parse(name, argument, min, max),
    };

    // The range is checked here and not by a validator: one that asks for the value of a text that is no size would throw.
    private static long Parse(string name, ArgumentResult argument, long min, long max)
    {
        string text = argument.Tokens[0].Value;
        if (!TryParse(text, out long bytes))
            argument.AddError($"'{text}' is not a size; write for example 262144, 256KiB or 1MiB.");
        else if (bytes < min || bytes > max)
            argument.AddError($"{name} must be {Format(min)} to {Format(max)}.");
        return bytes;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, long factor, out long bytes)
    {
        bytes = 0;
        if (!decimal.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            || number < 0 || number > (decimal)long.MaxValue / factor)
            return false;
        bytes = (long)(number * factor);
        return bytes == number * factor;
    }
}

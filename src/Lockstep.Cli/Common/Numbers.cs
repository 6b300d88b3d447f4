using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Lockstep.Cli.Common;

/// <summary>Whole numbers within bounds.</summary>
internal static class Numbers
{
    /// <summary>An option that takes a whole number from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public static Option<int> Option(string name, int value, string description, int min, int max) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => value,
        CustomParser = argument => Parse(name, argument, min, max),
    };

    /// <summary>The same without a default: null when it is not given.</summary>
    public static Option<int?> Optional(string name, string description, int min, int max) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = argument => Parse(name, argument, min, max),
    };

    private static int Parse(string name, ArgumentResult argument, int min, int max)
    {
        string text = argument.Tokens[0].Value;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < min || number > max)
            argument.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be a whole number from {min} to {max}, not '{text}'."));
        return number;
    }
}

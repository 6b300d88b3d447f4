using System.Globalization;
using System.Numerics;

namespace Lockstep.Payments;

/// <summary>A rail's unit of account, for people: a symbol and the number of decimals between one unit and one atto-unit.</summary>
public sealed record Currency(string Symbol, int Decimals = 18)
{
    /// <summary>The embedded local ledger's test money.</summary>
    public static Currency LocalTest { get; } = new("tFIL");

    // Far above any supply; keeps a pasted text from becoming a huge number.
    private const int MaxTextLength = 128;

    /// <summary>Writes an amount exactly, without trailing zeros: <c>1.5 tFIL</c>.</summary>
    public string Format(TokenAmount amount) => $"{FormatNumber(amount)} {Symbol}";

    /// <summary>Writes an amount exactly, without the symbol: <c>1.5</c>.</summary>
    public string FormatNumber(TokenAmount amount)
    {
        BigInteger magnitude = BigInteger.Abs(amount.Atto);
        string digits = magnitude.ToString(CultureInfo.InvariantCulture).PadLeft(Decimals + 1, '0');
        string whole = digits[..^Decimals];
        string fraction = digits[^Decimals..].TrimEnd('0');
        string sign = amount.IsNegative ? "-" : "";
        return fraction.Length == 0 ? sign + whole : $"{sign}{whole}.{fraction}";
    }

    /// <summary>
    /// Reads <c>1.5</c>, <c>1.5 tFIL</c> or <c>1500 atto</c>. An amount of money that a person types is never negative and
    /// never has more decimals than the currency.
    /// </summary>
    public bool TryParse(string? text, out TokenAmount amount)
    {
        amount = default;
        if (text is null || text.Length > MaxTextLength)
            return false;
        ReadOnlySpan<char> body = text.AsSpan().Trim();
        int decimals = Decimals;
        if (body.EndsWith("atto", StringComparison.OrdinalIgnoreCase))
        {
            body = body[..^4].TrimEnd();
            decimals = 0;
        }
        else if (body.EndsWith(Symbol, StringComparison.OrdinalIgnoreCase))
            body = body[..^Symbol.Length].TrimEnd();

        int point = body.IndexOf('.');
        ReadOnlySpan<char> whole = point < 0 ? body : body[..point];
        ReadOnlySpan<char> fraction = point < 0 ? [] : body[(point + 1)..];
        bool lacksDigits = whole.IsEmpty || (point >= 0 && fraction.IsEmpty);
        if (lacksDigits || fraction.Length > decimals
            || whole.ContainsAnyExceptInRange('0', '9') || fraction.ContainsAnyExceptInRange('0', '9'))
            return false;

        string scaled = string.Concat(whole, fraction, new string('0', decimals - fraction.Length));
        amount = new TokenAmount(BigInteger.Parse(scaled, NumberStyles.None, CultureInfo.InvariantCulture));
        return true;
    }
}

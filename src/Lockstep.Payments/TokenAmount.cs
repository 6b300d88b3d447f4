using System.Globalization;
using System.Numerics;

namespace Lockstep.Payments;

/// <summary>
/// An amount of money in atto-units (10^-18 of the rail's currency). Never a bare integer, so that amounts, nonces and
/// sizes cannot be mixed up. May be negative: a voucher can carry a negative amount, which the channel then refuses.
/// </summary>
public readonly record struct TokenAmount(BigInteger Atto) : IComparable<TokenAmount>
{
    // A Filecoin big integer has at most 128 bytes, sign included (docs/filecoin.md section 1.2); its decimal form fits in
    // 307 characters.
    private const int MaxDigits = 307;

    public static TokenAmount Zero => default;

    public bool IsZero => Atto.IsZero;

    public bool IsNegative => Atto.Sign < 0;

    public static TokenAmount Max(TokenAmount left, TokenAmount right) => left >= right ? left : right;

    public static TokenAmount Min(TokenAmount left, TokenAmount right) => left <= right ? left : right;

    /// <summary>Reads the wire form: decimal digits with an optional leading minus, no spaces, no leading zeros.</summary>
    public static bool TryParseAtto(string? text, out TokenAmount amount)
    {
        amount = default;
        if (string.IsNullOrEmpty(text) || text.Length > MaxDigits + 1)
            return false;
        ReadOnlySpan<char> digits = text[0] == '-' ? text.AsSpan(1) : text;
        if (digits.IsEmpty || digits.Length > MaxDigits || digits.ContainsAnyExceptInRange('0', '9'))
            return false;
        if (digits[0] == '0' && text.Length > 1)
            return false;
        amount = new TokenAmount(BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        return true;
    }

    /// <summary>Reads the wire form. Throws <see cref="FormatException"/> when it is not a decimal integer.</summary>
    public static TokenAmount ParseAtto(string text) =>
        TryParseAtto(text, out TokenAmount amount)
            ? amount
            : throw new FormatException($"'{text}' is not an amount: expected a whole number of atto-units in decimal.");

    public static TokenAmount operator +(TokenAmount left, TokenAmount right) => new(left.Atto + right.Atto);

    public static TokenAmount operator -(TokenAmount left, TokenAmount right) => new(left.Atto - right.Atto);

    public static TokenAmount operator *(TokenAmount price, long count) => new(price.Atto * count);

    public static bool operator <(TokenAmount left, TokenAmount right) => left.Atto < right.Atto;

    public static bool operator >(TokenAmount left, TokenAmount right) => left.Atto > right.Atto;

    public static bool operator <=(TokenAmount left, TokenAmount right) => left.Atto <= right.Atto;

    public static bool operator >=(TokenAmount left, TokenAmount right) => left.Atto >= right.Atto;

    public int CompareTo(TokenAmount other) => Atto.CompareTo(other.Atto);

    /// <summary>The wire form: atto-units in decimal.</summary>
    public override string ToString() => Atto.ToString(CultureInfo.InvariantCulture);
}

using System.Numerics;
using CsCheck;

namespace Lockstep.Payments.Tests;

public sealed class MoneyTests
{
    [Theory]
    [InlineData("0", "0 tFIL")]
    [InlineData("1", "0.000000000000000001 tFIL")]
    [InlineData("1500000000000000000", "1.5 tFIL")]
    [InlineData("-1500000000000000000", "-1.5 tFIL")]
    [InlineData("123000000000000000000", "123 tFIL")]
    public void Amounts_are_written_exactly(string atto, string text) =>
        Assert.Equal(text, Currency.LocalTest.Format(TokenAmount.ParseAtto(atto)));

    [Theory]
    [InlineData("1.5", "1500000000000000000")]
    [InlineData(" 1.5 tFIL ", "1500000000000000000")]
    [InlineData("1.5tfil", "1500000000000000000")]
    [InlineData("0.000000000000000001", "1")]
    [InlineData("250 atto", "250")]
    [InlineData("007", "7000000000000000000")]
    public void Amounts_are_read(string text, string atto)
    {
        Assert.True(Currency.LocalTest.TryParse(text, out TokenAmount amount));
        Assert.Equal(atto, amount.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData(".5")]
    [InlineData("5.")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1e3")]
    [InlineData("1,5")]
    [InlineData("1.5 FIL USD")]
    [InlineData("0.0000000000000000001")]
    [InlineData("1.5 atto")]
    [InlineData("1.2.3")]
    [InlineData("tFIL")]
    [InlineData(null)]
    public void What_is_no_amount_is_refused(string? text) => Assert.False(Currency.LocalTest.TryParse(text, out _));

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("-0")]
    [InlineData("00")]
    [InlineData("01")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("+1")]
    [InlineData("0x1")]
    [InlineData("١")]
    public void The_wire_form_has_one_spelling(string text)
    {
        Assert.False(TokenAmount.TryParseAtto(text, out _));
        Assert.Throws<FormatException>(() => TokenAmount.ParseAtto(text));
    }

    [Fact]
    public void A_huge_number_is_refused_before_it_is_made() => Assert.False(TokenAmount.TryParseAtto(new string('9', 308), out _));

    [Fact]
    public void Both_forms_round_trip() =>
        Gen.Long.Select(Gen.Long, Gen.Long).Sample((a, b, c) =>
        {
            var amount = new TokenAmount(new BigInteger(a) * b * c);
            Assert.Equal(amount, TokenAmount.ParseAtto(amount.ToString()));
            if (!amount.IsNegative)
            {
                Assert.True(Currency.LocalTest.TryParse(Currency.LocalTest.Format(amount), out TokenAmount back));
                Assert.Equal(amount, back);
            }
        });

    [Fact]
    public void Epochs_stop_at_the_ends_of_their_range()
    {
        Assert.Equal(new Epoch(long.MaxValue), new Epoch(long.MaxValue - 1) + 5);
        Assert.Equal(new Epoch(long.MinValue), new Epoch(-2) - long.MaxValue);
        Assert.Equal(new Epoch(7), new Epoch(10) - 3);
    }
}

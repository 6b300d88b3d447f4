using System.Text;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Evm;

namespace Lockstep.Payments.Tests.Evm;

/// <summary>Known answers of the specifications, and answers of a node that may be anything.</summary>
public sealed class EvmEncodingTests
{
    // The examples of ERC-55.
    [Theory]
    [InlineData("0x52908400098527886E0F7030069857D2E4169EE7")]
    [InlineData("0x8617E340B3D01FA5F11F306F4090FD50E238070D")]
    [InlineData("0xde709f2102306220921060314715629080e2fb77")]
    [InlineData("0x27b1fdb04752bbc536007a920d24acb045561c26")]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")]
    [InlineData("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")]
    [InlineData("0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB")]
    [InlineData("0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb")]
    public void Addresses_have_the_checksum_of_ERC_55(string text)
    {
        Assert.Equal(text, EvmAddress.Parse(text).ToString());
        Assert.Equal(text, EvmAddress.Parse(text.ToLowerInvariant()).ToString());
    }

    [Theory]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "checksum")]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "40 hexadecimal")]
    [InlineData("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00", "40 hexadecimal")]
    [InlineData("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", "40 hexadecimal")]
    [InlineData("", "40 hexadecimal")]
    [InlineData(null, "40 hexadecimal")]
    public void A_text_that_is_no_address_is_told_why(string? text, string expected)
    {
        Assert.False(EvmAddress.TryParse(text, out _, out string error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    // The examples of Ethereum's wiki on RLP.
    [Fact]
    public void Rlp_gives_the_known_answers()
    {
        Assert.Equal("83646f67", Convert.ToHexStringLower(Rlp.Bytes("dog"u8)));
        Assert.Equal("c88363617483646f67", Convert.ToHexStringLower(Rlp.List(Rlp.Bytes("cat"u8), Rlp.Bytes("dog"u8))));
        Assert.Equal("80", Convert.ToHexStringLower(Rlp.Bytes([])));
        Assert.Equal("c0", Convert.ToHexStringLower(Rlp.List()));
        Assert.Equal("80", Convert.ToHexStringLower(Rlp.Number(0)));
        Assert.Equal("0f", Convert.ToHexStringLower(Rlp.Number(15)));
        Assert.Equal("820400", Convert.ToHexStringLower(Rlp.Number(1024)));
        Assert.Equal("c7c0c1c0c3c0c1c0", Convert.ToHexStringLower(Rlp.List(Rlp.List(), Rlp.List(Rlp.List()), Rlp.List(Rlp.List(), Rlp.List(Rlp.List())))));
        byte[] text = Encoding.ASCII.GetBytes("Lorem ipsum dolor sit amet, consectetur adipisicing elit");
        Assert.Equal("b838" + Convert.ToHexStringLower(text), Convert.ToHexStringLower(Rlp.Bytes(text)));
    }

    [Fact]
    public void Keccak_is_not_SHA3()
    {
        Assert.Equal("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470", Convert.ToHexStringLower(Keccak.Hash256([])));
    }

    [Fact]
    public void A_revert_is_read_and_anything_else_is_unknown()
    {
        byte[] staleAt2 = [.. Selector("StaleNonce(uint256)"), .. new byte[31], 2];
        Assert.Equal(new ContractRefusal(ContractError.StaleNonce, 2), ContractRefusal.Parse(staleAt2));
        Assert.Equal(new ContractRefusal(ContractError.TooEarly, null), ContractRefusal.Parse(Selector("TooEarly(uint64)")));
        Assert.Equal(new ContractRefusal(ContractError.UnknownChannel, null), ContractRefusal.Parse(Selector("UnknownChannel()")));
        Assert.Equal(ContractError.Unknown, ContractRefusal.Parse([]).Error);
        Assert.Equal(ContractError.Unknown, ContractRefusal.Parse([1, 2, 3, 4, 5]).Error);
        Assert.All(Enum.GetValues<ContractError>(), error => Assert.EndsWith(".", new ContractRefusal(error, 1).Sentence, StringComparison.Ordinal));
    }

    // What a node answers is read whole or refused; nothing else is thrown, and no more memory is taken than it sent.
    [Fact]
    public void Answers_that_are_broken_are_format_errors()
    {
        var random = new Random(99);
        byte[] channel = Answer(words => words.Number(5).Number(1).Number(0).Number(2).Number(2).Number(3).Number(1000).Number(10).Number(0).Number(0).Number(0).Number(384)
            .Number(2).Number(4).Number(1).Number(6).Number(1));
        EvmChannel read = ChannelContract.ReadAnswer(channel);
        Assert.Equal((5, 2, 3, 1000, 10, 2), (read.AsOf.Value, read.LanesEnd, read.OpenedAt, (int)read.Balance.Atto, (int)read.Owed.Atto, read.Lanes.Count));
        for (int i = 0; i < 5000; i++)
        {
            byte[] broken = channel[..random.Next(channel.Length + 1)];
            for (int hit = random.Next(4); hit > 0 && broken.Length > 0; hit--)
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
            Quietly(() => ChannelContract.ReadAnswer(broken));
            Quietly(() => ChannelContract.FindAnswer(broken));
            Quietly(() => ChannelContract.NumberAnswer(broken));
            Quietly(() => ContractEvent.ReadRedeemed(["0x", "0x", "0x" + Convert.ToHexStringLower(broken.AsSpan(0, Math.Min(32, broken.Length)))], broken));
        }

        Assert.Throws<FormatException>(() => ChannelContract.ReadAnswer(channel.AsMemory(0, channel.Length - 1)));
        Assert.Throws<FormatException>(() => ContractEvent.ReadRedeemed(["a", "b"], channel));
    }

    // The secret that a node shows is believed only because it opens the lock.
    [Fact]
    public void A_shown_secret_must_open_its_lock()
    {
        byte[] secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        HashLock hashLock = HashLock.Of(LockHashKind.Sha256, secret);
        string lane = "0x" + new string('0', 63) + "4";
        ContractEvent.Redeemed read = ContractEvent.ReadRedeemed(["0x", "0x", lane], Answer(words => words.Number(9).Number(77).Word(hashLock.Hash.Span).Word(secret)));
        Assert.Equal((new LaneId(4), new Nonce(9), new TokenAmount(77), hashLock), (read.Lane, read.Nonce, read.Amount, read.Lock!));
        Assert.Equal(secret, read.Secret.ToArray());
        secret[0] ^= 1;
        Assert.Throws<FormatException>(() => ContractEvent.ReadRedeemed(["0x", "0x", lane], Answer(words => words.Number(9).Number(77).Word(hashLock.Hash.Span).Word(secret))));
    }

    private static void Quietly(Action read)
    {
        try
        {
            read();
        }
        catch (FormatException)
        {
            // As it should be.
        }
    }

    private static byte[] Answer(Action<AbiWriter> write)
    {
        var writer = new AbiWriter();
        write(writer);
        return writer.ToArray();
    }

    private static byte[] Selector(string signature) => Convert.FromHexString(ContractEvent.Topic(signature).AsSpan(2, 8));
}

using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Tests.World;

namespace Lockstep.Retrieval.Tests;

/// <summary>Whatever never answers, every waiting state has a deadline and an exit.</summary>
public sealed class DeadlineTests
{
    public static TheoryData<string, DealStatus> ClientWaits => new()
    {
        { "proposal", DealStatus.WaitAcceptance },
        { "channels", DealStatus.PaymentChannelCreating },
        { "open", DealStatus.PaymentChannelCreating },
        { "connection", DealStatus.ChannelAllocatingLane },
        { "links", DealStatus.ChannelAllocatingLane },
        { "window", DealStatus.WaitingBlock },
        { "proof part", DealStatus.WaitingBlock },
        { "verifier", DealStatus.VerifyProofs },
        { "money", DealStatus.InsufficientFunds },
    };

    [Theory]
    [MemberData(nameof(ClientWaits))]
    public void AWaitingClientGivesUpAndSaysWhy(string missing, DealStatus waitedIn)
    {
        var world = new DealWorld(new WorldOptions { Wallet = new Payments.TokenAmount(missing == "money" ? 5 : 100_000) });
        world.ClientIgnores = effect => (missing, effect) switch
        {
            ("proposal", ClientEffect.Propose) => true,
            ("channels", ClientEffect.FindChannels) => true,
            ("open", ClientEffect.OpenChannel) => true,
            ("connection", ClientEffect.Connect) => true,
            ("verifier", ClientEffect.VerifyWindow) => true,
            _ => false,
        };
        world.FromProvider = message => (missing, message) switch
        {
            ("links", ProviderMessage.LinkBlock) => null,
            ("window", ProviderMessage.WindowOffer or ProviderMessage.CiphertextPart or ProviderMessage.ProofPart) => null,
            ("proof part", ProviderMessage.ProofPart) => null,
            _ => message,
        };
        world.Start();
        world.Run(TimeSpan.FromDays(2));
        Assert.Equal(DealStatus.Errored, world.ClientEnd?.Status);
        Assert.Equal(waitedIn, world.ClientStore.History[^2]);
        Assert.EndsWith(".", world.ClientSentence, StringComparison.Ordinal);
        Assert.Equal(Payments.TokenAmount.Zero, world.ClientStore.Client!.Paid);
    }

    [Fact]
    public void ASilentProviderOfAFreeChunkIsLeft()
    {
        var world = new DealWorld(new WorldOptions { Price = default, AskPrice = default });
        world.FromProvider = message => message is ProviderMessage.KeyReveal ? null : message;
        world.Start();
        world.Run(TimeSpan.FromDays(2));
        Assert.Equal(DealStatus.Errored, world.ClientEnd?.Status);
    }

    [Theory]
    [InlineData("content", DealStatus.Unsealing, DealStatus.Errored)]
    [InlineData("seal", DealStatus.Encrypt, DealStatus.Errored)]
    [InlineData("client", DealStatus.FundsNeeded, DealStatus.Cancelled)]
    public void AWaitingProviderGivesUpToo(string missing, DealStatus waitedIn, DealStatus end)
    {
        var patient = new ClientPolicy
        {
            WarmUpTimeout = TimeSpan.FromDays(9),
            BlockTimeout = TimeSpan.FromDays(9),
            KeyTimeout = TimeSpan.FromDays(9),
        };
        var world = new DealWorld(new WorldOptions { ClientPolicy = patient });
        world.ProviderIgnores = effect => (missing, effect) switch
        {
            ("content", ProviderEffect.PrepareContent) => true,
            ("seal", ProviderEffect.SealWindow) => true,
            _ => false,
        };
        if (missing == "client")
        {
            world.FromClient = message => message is ClientMessage.LockedVoucher ? null : message;
            world.ClientIgnores = effect => effect is ClientEffect.Connect && world.ClientSent.Any(sent => sent is ClientMessage.WantChunks);
        }
        world.Start();
        world.Run(TimeSpan.FromDays(3));
        Assert.Equal(end, world.ProviderStore.Provider!.Status);
        Assert.Equal(waitedIn, world.ProviderStore.History[^2]);
    }

    [Fact]
    public void AProviderProvesNothingForAnEmptyChannel()
    {
        var world = new DealWorld(new WorldOptions
        {
            Leaves = TestContent.Leaves(4),
            ClientPolicy = new() { FundingStep = new Payments.TokenAmount(3 * 20), AutoTopUp = true },
            Wallet = new Payments.TokenAmount(3 * 20),
        });
        world.Start();
        world.Run(TimeSpan.FromHours(2));
        // One chunk of 20 bytes could be paid: one was proven.
        Assert.Single(world.ProviderStore.Windows);
        Assert.Equal(DealStatus.InsufficientFunds, world.Provider.Status);
        Assert.Equal(DealStatus.InsufficientFunds, world.Client.Status);
        world.Run(TimeSpan.FromDays(3));
        Assert.Equal(DealStatus.Errored, world.ClientEnd?.Status);
        Assert.True(world.Provider.IsOver);
    }
}

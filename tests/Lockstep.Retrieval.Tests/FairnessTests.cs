using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;
using Lockstep.Retrieval.Tests.World;

namespace Lockstep.Retrieval.Tests;

/// <summary>Peers that cheat, vanish or stay silent: nobody loses more than is stated.</summary>
public sealed class FairnessTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void AProviderThatRedeemsAndSendsNoKeyIsReadFromTheLedger(int locks)
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(4), OpenLocks = locks, ClientPolicy = new() { BlockTimeout = TimeSpan.FromDays(30) } });
        world.FromProvider = message => message is ProviderMessage.KeyReveal ? null : message;
        world.Start();
        world.Run(TimeSpan.FromDays(30));
        Assert.Contains(DealStatus.WaitingKeyOnChain, world.ClientStore.History);
        Assert.All(world.Ledger.Redemptions, entry => Assert.False(entry.Redemption.Secret.IsEmpty));
        world.CheckComplete();
    }

    [Fact]
    public void AClientThatVanishesAfterTheKeyHasPaidForIt()
    {
        var world = new DealWorld(new WorldOptions());
        world.FromClient = message => world.ClientSent.OfType<ClientMessage.LockedVoucher>().Any() ? null : message;
        world.Start();
        world.Run(TimeSpan.FromHours(2));
        TokenAmount earned = world.ProviderStore.Provider!.Earned;
        Assert.Equal(world.PriceOf(0), earned);
        // Lock expiry is 600 epochs of 30 s: the watch has redeemed by itself, once.
        world.Pass(TimeSpan.FromHours(5));
        Assert.Single(world.Ledger.Redemptions);
        Assert.Equal(600 + 100 - 120, world.Ledger.Redemptions[0].Redemption.Epoch.Value, 5L);
        world.CheckLedger(earned);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void AClientThatSettlesAtOnceAfterAKeyPaysInFull(int age)
    {
        // A provider that reads the channel for every voucher sees it at once; one that reads once an epoch has the settling period.
        var world = new DealWorld(new WorldOptions { ProviderPolicy = new() { ChannelAgeEpochs = age } });
        bool settled = false;
        world.FromProvider = message =>
        {
            if (message is ProviderMessage.KeyReveal && !settled)
            {
                settled = true;
                world.Ledger.Settle(new ChannelId("channel0"), world.Epoch);
            }
            return message;
        };
        world.Start();
        world.Run(TimeSpan.FromHours(13));
        Assert.Equal(age < 0 ? DealStatus.Errored : DealStatus.Completed, world.ProviderStore.Provider!.Status);
        if (age < 0)
            Assert.Equal(world.PriceOf(0), world.ProviderStore.Provider.Earned);
        world.CheckLedger(world.ProviderStore.Provider.Earned);
        Assert.NotEmpty(world.Ledger.Redemptions);
    }

    [Fact]
    public void ADeadLockIsBoughtAgain()
    {
        // No key, and no redemption: the provider was off while the lock ran out, and comes back.
        var world = new DealWorld(new WorldOptions { ClientPolicy = new() { BlockTimeout = TimeSpan.FromDays(30) } });
        bool silent = true;
        world.FromProvider = message => silent && message is ProviderMessage.KeyReveal ? null : message;
        world.ProviderRedeems = false;
        world.Start();
        world.Run(TimeSpan.FromHours(4));
        Assert.Equal(DealStatus.WaitingKeyOnChain, world.Client.Status);
        // Exactly past expiry and finality the lock is dead, not before.
        silent = false;
        world.Run(TimeSpan.FromDays(2));
        Assert.Contains(DealStatus.WaitingKeyOnChain, world.ClientStore.History);
        world.ProviderRedeems = true;
        world.CheckComplete();
    }

    [Fact]
    public void ALockIsDeadOnlyPastItsExpiryByTheFinalityMargin()
    {
        var world = new DealWorld(new WorldOptions { Finality = 50, ClientPolicy = new() { BlockTimeout = TimeSpan.FromDays(30) } });
        world.FromProvider = message => message is ProviderMessage.KeyReveal ? null : message;
        world.ProviderRedeems = false;
        world.Start();
        // Expiry 600 epochs after the voucher, finality 50: at 649 epochs the lock still counts.
        world.Run(TimeSpan.FromSeconds(30 * 649));
        Assert.Single(Vouchers(world));
        world.Run(TimeSpan.FromSeconds(30 * 5));
        Assert.Equal(2, Vouchers(world).Length);
        PaymentVoucher[] pair = Vouchers(world);
        Assert.Equal(pair[0].Amount, pair[1].Amount);
        Assert.Equal(pair[0].Lane, pair[1].Lane);
        Assert.True(pair[1].Nonce > pair[0].Nonce);
    }

    public static TheoryData<string> Junk => ["ciphertext", "lock", "seal", "swap", "signature", "length", "cid", "replay", "deal", "proof"];

    [Theory]
    [MemberData(nameof(Junk))]
    public void AJunkSwappedOrReplayedChunkGetsNoVoucher(string kind)
    {
        var world = new DealWorld(new WorldOptions { Window = 2, Leaves = [new byte[40], [1, .. new byte[39]], [2, .. new byte[39]]] });
        int offers = 0;
        SignedOffer? first = null;
        world.FromProvider = message =>
        {
            switch (message)
            {
                case ProviderMessage.CiphertextPart part when kind == "ciphertext" && part.Offset == 0:
                    byte[] data = part.Data.ToArray();
                    data[3] ^= 1;
                    return part with { Data = data };
                case ProviderMessage.ProofPart part when kind == "proof":
                    return part with { Offset = 1 };
                case ProviderMessage.WindowOffer { Offer: var signed }:
                    offers++;
                    first ??= signed;
                    if (kind == "replay")
                        return offers == 2 ? new ProviderMessage.WindowOffer(first) : message;
                    if (offers > 1)
                        return message;
                    OfferedChunk[] chunks = [.. signed.Offer.Chunks];
                    SealedOffer offer = signed.Offer;
                    switch (kind)
                    {
                        case "lock": chunks[0] = chunks[0] with { Lock = chunks[1].Lock }; break;
                        case "seal": chunks[0] = chunks[0] with { SealId = chunks[1].SealId }; break;
                        case "swap": (chunks[0], chunks[1]) = (chunks[0] with { Lock = chunks[1].Lock, SealId = chunks[1].SealId }, chunks[1] with { Lock = chunks[0].Lock, SealId = chunks[0].SealId }); break;
                        case "length": chunks[0] = chunks[0] with { Length = 41 }; break;
                        case "cid": chunks[0] = chunks[0] with { Cid = chunks[1].Cid }; break;
                        case "deal": offer = offer with { DealId = new DealId(new Bytes32(new byte[32])) }; break;
                    }
                    byte[] signature = [.. signed.Signature.Span];
                    offer = offer with { Chunks = chunks };
                    if (kind is "signature")
                        signature[0] ^= 1;
                    else
                        signature = DealWorld.SignAsProvider(offer);
                    return new ProviderMessage.WindowOffer(new SignedOffer(offer, signature));
                default:
                    return message;
            }
        };
        world.Start();
        world.Run(TimeSpan.FromHours(1));
        Assert.Equal(DealStatus.Errored, world.ClientEnd?.Status);
        // The first window of a replay is honest.
        Assert.InRange(Vouchers(world).Length, 0, kind == "replay" ? 2 : 0);
        Assert.Equal(Vouchers(world).Length, world.ClientStore.Client!.ChunksReceived);
        Assert.Contains("No voucher was signed", world.ClientSentence, StringComparison.Ordinal);
    }

    [Fact]
    public void AProverThatUsesAKeyTwiceSendsNothing()
    {
        var world = new DealWorld(new WorldOptions());
        SealedWindow? first = null;
        world.Prover = made => first is null ? first = made : made with { Chunks = [made.Chunks[0] with { SealId = first.Chunks[0].SealId }] };
        world.Start();
        world.Run(TimeSpan.FromHours(1));
        Assert.Equal(DealStatus.Errored, world.ProviderStore.Provider!.Status);
        Assert.Contains("twice", world.ProviderStore.Provider.Sentence!, StringComparison.Ordinal);
    }

    [Fact]
    public void AWrongKeyOpensNothingAndTheRightOneStillCounts()
    {
        var world = new DealWorld(new WorldOptions());
        bool once = true;
        world.FromProvider = message =>
        {
            if (message is not ProviderMessage.KeyReveal reveal || !once)
                return message;
            once = false;
            return reveal with { Key = new byte[32] };
        };
        world.Start();
        world.Run();
        Assert.False(once);
        world.CheckComplete();
    }

    [Fact]
    public void AStrangerWithTheDealIdGetsNothing()
    {
        var world = new DealWorld(new WorldOptions());
        world.Start();
        world.Run();
        Assert.True(world.Provider.Admits(DealWorld.ClientKey));
        Assert.False(world.Provider.Admits(new Bytes32(new byte[32])));
        Assert.Equal(FaultCode.DealNotFound, ProviderDeal.NotFound.Code);
    }

    [Theory]
    [InlineData("lane")]
    [InlineData("amount")]
    [InlineData("unlocked instead")]
    [InlineData("other chunk's lock")]
    [InlineData("expiry")]
    [InlineData("signer")]
    public void AVoucherThatDoesNotPayGetsNoKey(string kind)
    {
        var world = new DealWorld(new WorldOptions { ClientPolicy = new() { KeyTimeout = TimeSpan.FromDays(1) } });
        var scheme = new StandInScheme();
        world.FromClientRaw = message =>
        {
            if (message is not ClientMessage.LockedVoucher locked)
                return message;
            VoucherTerms terms = scheme.Decode(locked.Voucher, LockHashKind.Sha256).Voucher!.Terms;
            terms = kind switch
            {
                "lane" => terms with { Lane = new LaneId(9) },
                "amount" => terms with { Amount = terms.Amount - new TokenAmount(1) },
                "unlocked instead" => terms with { Lock = null, Expiry = null },
                "other chunk's lock" => terms with { Lock = HashLock.Of(LockHashKind.Sha256, [1]) },
                "expiry" => terms with { Expiry = world.Epoch + 10 },
                _ => terms,
            };
            return locked with { Voucher = StandInScheme.Sign(kind == "signer" ? new AccountId("stranger") : DealWorld.Payer, terms).Encoded };
        };
        world.Start();
        world.Run(TimeSpan.FromMinutes(5));
        Assert.DoesNotContain(world.ProviderSent, message => message is ProviderMessage.KeyReveal);
        Assert.Contains(world.ProviderSent, message => message is ProviderMessage.Fault { Code: FaultCode.VoucherRefused });
        Assert.Equal(TokenAmount.Zero, world.ProviderStore.Provider!.Earned);
    }

    [Fact]
    public void CancellingInMidDealKeepsWhatWasPaidForAndPaysNoMore()
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(6) });
        world.FromProvider = message =>
        {
            if (message is ProviderMessage.KeyReveal { Chunk: 2 } && world.Client.Row.Stop is null)
                world.Later(world.Cancel);
            return message;
        };
        world.Start();
        world.Run(TimeSpan.FromHours(12));
        Assert.Equal(DealStatus.Cancelled, world.ClientEnd?.Status);
        Assert.InRange(world.ClientStore.Client!.ChunksReceived, 3, 4);
        Assert.Equal(DealStatus.Cancelled, world.ProviderStore.Provider!.Status);
        Assert.Equal(world.ClientStore.Client.Paid, world.ProviderStore.Provider.Earned);
        world.CheckLedger(world.ClientStore.Client.Paid);
    }

    [Fact]
    public void AProviderThatCancelsIsNamed()
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(6) });
        bool once = true;
        world.FromProvider = message =>
        {
            if (once && message is ProviderMessage.KeyReveal { Chunk: 1 })
            {
                once = false;
                world.Later(world.CancelByProvider);
            }
            return message;
        };
        world.Start();
        world.Run(TimeSpan.FromHours(12));
        Assert.Equal(DealStatus.ProviderCancelled, world.ClientEnd?.Status);
        Assert.Contains("The shop is closed.", world.ClientSentence, StringComparison.Ordinal);
        world.CheckLedger(world.ClientStore.Client!.Paid);
    }

    [Fact]
    public void AProviderWithoutItsRecordsIsADealNotFound()
    {
        var world = new DealWorld(new WorldOptions());
        world.FromProvider = message => message is ProviderMessage.DealState { Ready: true } ? ProviderDeal.NotFound : message;
        world.Start();
        world.Run(TimeSpan.FromHours(1));
        Assert.Equal(DealStatus.DealNotFound, world.ClientEnd?.Status);
    }

    private static PaymentVoucher[] Vouchers(DealWorld world) =>
        [.. world.ClientStore.Vouchers.Where(row => row.Purpose == VoucherPurpose.Locked).Select(row => row.Voucher)];
}

using Lockstep.Node.Storage;
using Lockstep.Node.Tests.Support;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Node.Tests.Storage;

public class SealTests
{
    private static readonly DealId Deal = new(Value(1));
    private static readonly DealId Other = new(Value(2));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ASealIsNotedOnceAndFound()
    {
        using var folder = new TemporaryFolder();
        using var store = ProviderStore.Open(folder.File("p.db"), TimeProvider.System);
        StoreWrite[] seal = [new SealRow(Deal, DealSide.Provider, Value(10), Value(11))];
        await store.CommitAsync(seal, Cancellation);
        await store.CommitAsync(seal, Cancellation);
        Assert.True(store.Knows(Value(10), Value(99)));
        Assert.True(store.Knows(Value(99), Value(11)));
        Assert.False(store.Knows(Value(11), Value(10)));
    }

    [Theory]
    [InlineData(10, 12)]
    [InlineData(12, 11)]
    [InlineData(10, 11)]
    public async Task ASealIdOrALockIsNeverTakenTwiceWhateverTheProgramBelieves(byte sealId, byte keyLock)
    {
        using var folder = new TemporaryFolder();
        using var store = ProviderStore.Open(folder.File("p.db"), TimeProvider.System);
        await store.CommitAsync([new SealRow(Deal, DealSide.Provider, Value(10), Value(11))], Cancellation);
        StoreWrite[] batch = [new SealRow(Other, DealSide.Provider, Value(20), Value(21)), new SealRow(Other, DealSide.Provider, Value(sealId), Value(keyLock))];
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.CommitAsync(batch, Cancellation));
        Assert.False(store.Knows(Value(20), Value(21)));
    }

    private static Bytes32 Value(byte value) => new([.. Enumerable.Repeat(value, Bytes32.Length)]);
}

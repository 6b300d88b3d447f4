using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Tests.World;

namespace Lockstep.Retrieval.Tests;

/// <summary>A crash before a commit, after it, and between every two effects, on each side; then a restart from the store (I4, I6).</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    public static TheoryData<int, int, bool, bool> Worlds => new()
    {
        { 1, 1, false, false },
        { 2, 1, false, false },
        { 1, 2, false, false },
        { 3, 2, false, false },
        { 1, 1, true, false },
        { 1, 1, false, true },
    };

    [Theory]
    [MemberData(nameof(Worlds))]
    public void ADealOfThreeChunksSurvivesACrashAtEveryPlace(int window, int locks, bool cold, bool free)
    {
        WorldOptions options = Options(window, locks, cold, free);
        var reference = new DealWorld(options);
        reference.Start();
        reference.Run();
        reference.CheckComplete();
        (int client, int provider) = (reference.ClientCrash.Places, reference.ProviderCrash.Places);
        Assert.True(client > 40 && provider > 20, $"{client} and {provider} places");

        for (int place = 0; place < client; place++)
            RunWithCrash(options, place, null);
        for (int place = 0; place < provider; place++)
            RunWithCrash(options, null, place);
        output.WriteLine($"{client} places on the client, {provider} on the provider");
    }

    [Fact]
    public void ADealOfThreeChunksSurvivesACrashOfBothSidesAtEveryPairOfPlaces()
    {
        WorldOptions options = Options(1, 1, cold: false, free: false);
        var reference = new DealWorld(options);
        reference.Start();
        reference.Run();
        for (int client = 0; client < reference.ClientCrash.Places; client++)
        {
            for (int provider = 0; provider < reference.ProviderCrash.Places; provider++)
                RunWithCrash(options, client, provider);
        }
        output.WriteLine($"{reference.ClientCrash.Places * reference.ProviderCrash.Places} pairs");
    }

    [Fact]
    public void TwoCrashesOfOneSideAreSurvivedToo()
    {
        WorldOptions options = Options(2, 2, cold: false, free: false);
        for (int first = 0; first < 60; first++)
        {
            for (int gap = 1; gap < 12; gap++)
            {
                var world = new DealWorld(options);
                world.ClientCrash.At.UnionWith([first, first + gap]);
                world.ProviderCrash.At.UnionWith([first / 2, (first / 2) + gap]);
                Check(world, $"crashes at {first} and {first + gap}");
            }
        }
    }

    private static WorldOptions Options(int window, int locks, bool cold, bool free) => new()
    {
        Window = window,
        OpenLocks = locks,
        Cold = cold,
        UnsealPrice = new Payments.TokenAmount(cold ? 40 : 0),
        Price = new Payments.TokenAmount(free ? 0 : 3),
        AskPrice = new Payments.TokenAmount(free ? 0 : 3),
    };

    private static void RunWithCrash(WorldOptions options, int? client, int? provider)
    {
        var world = new DealWorld(options);
        if (client is { } c)
            world.ClientCrash.At.Add(c);
        if (provider is { } p)
            world.ProviderCrash.At.Add(p);
        Check(world, $"client at {client}, provider at {provider}");
    }

    private static void Check(DealWorld world, string where)
    {
        try
        {
            world.Start();
            world.Run();
            world.CheckComplete();
            Assert.InRange(world.Ledger.ChannelsOpened, 0, 1);
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"{where}: {error.Message}\n{error.StackTrace}\n{string.Join('\n', world.Trace.TakeLast(40))}", error);
        }
        Assert.DoesNotContain(DealStatus.Errored, world.ClientStore.History);
    }
}

using Lockstep.Content.Blocks;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Retrieval.Tests.World;

/// <summary>One side's durable store: what is here has survived every crash.</summary>
internal sealed class TestStore(DealSide side) : ISealRegistry, IKeyVault
{
    private readonly HashSet<Bytes32> _marks = [];
    private readonly Dictionary<Bytes32, ReadOnlyMemory<byte>> _keys = [];

    public MemoryBlocks Blocks { get; } = new();

    public ClientDealRow? Client { get; private set; }

    public ProviderDealRow? Provider { get; private set; }

    public WantedChunks? Wanted { get; private set; }

    public SortedDictionary<int, ClientChunkRow> ClientChunks { get; } = [];

    public SortedDictionary<int, ProviderChunkRow> ProviderChunks { get; } = [];

    public Dictionary<int, ReadOnlyMemory<byte>> Ciphertexts { get; } = [];

    public Dictionary<int, SealedWindowRow> Windows { get; } = [];

    public List<VoucherRow> Vouchers { get; } = [];

    public Dictionary<ChannelId, Dictionary<Payments.LaneId, PayerLane>> Lanes { get; } = [];

    public List<LaneOwnerRow> Owners { get; } = [];

    public List<DealStatus> History { get; } = [];

    public int Commits { get; private set; }

    public bool Knows(Bytes32 sealId, Bytes32 keyLock) => _marks.Contains(sealId) || _marks.Contains(keyLock);

    public ReadOnlyMemory<byte>? Find(Bytes32 keyLock) => _keys.TryGetValue(keyLock, out ReadOnlyMemory<byte> key) ? key : null;

    public void Commit(IReadOnlyList<StoreWrite> batch)
    {
        Commits++;
        foreach (StoreWrite write in batch)
            Apply(write);
    }

    public ClientDealSnapshot ClientSnapshot() => new(
        Client!, Wanted, [.. ClientChunks.Values.Where(row => Client!.OldestChunk >= 0 && row.Index >= Client.OldestChunk)],
        [.. Vouchers.Where(row => row.Purpose != VoucherPurpose.Locked)]);

    public ProviderDealSnapshot ProviderSnapshot() => new(
        Provider!, Wanted, [.. ProviderChunks.Values.Where(row => Provider!.OldestKept >= 0 && row.Index >= Provider.OldestKept)]);

    private void Apply(StoreWrite write)
    {
        switch (write)
        {
            case StatusRow row:
                Assert.Equal(side, row.Side);
                Assert.Equal(History.Count, row.Sequence);
                History.Add(row.Status);
                break;
            case ClientDealRow row: Client = row; break;
            case ProviderDealRow row: Provider = row; break;
            case WantedRow row:
                Assert.Null(Wanted);
                Wanted = row.Wanted;
                break;
            case ClientChunkRow row: ClientChunks[row.Index] = row; break;
            case ProviderChunkRow row: ProviderChunks[row.Index] = row; break;
            case CiphertextRow row: Ciphertexts[row.Index] = row.Ciphertext; break;
            case CiphertextDropped row: Ciphertexts.Remove(row.Index); break;
            case VoucherRow row: Vouchers.Add(row); break;
            case PayerLaneRow row:
                Lanes.TryAdd(row.Channel, []);
                Lanes[row.Channel][row.Lane.Id] = row.Lane;
                break;
            case LaneOwnerRow row: Owners.Add(row); break;
            case SealRow row:
                Assert.True(_marks.Add(row.SealId), "I3: a seal id was stored twice");
                Assert.True(_marks.Add(row.Lock), "I3: a lock was stored twice");
                break;
            case SealedWindowRow row:
                Assert.True(Windows.TryAdd(row.Offer.Offer.Window, row), "a window was sealed twice under one number");
                for (int i = 0; i < row.Keys.Count; i++)
                    _keys[row.Offer.Offer.Chunks[i].Lock] = row.Keys[i];
                break;
            case BlockWrite row: Assert.Null(Blocks.Put(row.Cid, row.Data.Span)); break;
            default: throw new InvalidOperationException($"Unknown row {write.GetType().Name}.");
        }
    }
}

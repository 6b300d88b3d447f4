namespace Lockstep.Retrieval.Provider;
public sealed partial class ProviderDeal { public TimeSpan? NextDeadline { get; } public bool Admits(Deals.Bytes32 clientKey) => false; }

namespace Lockstep.Retrieval.Client;
public sealed partial class ClientDeal { public TimeSpan? NextDeadline { get; } }

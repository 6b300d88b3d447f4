namespace Lockstep.Retrieval.Deals;

/// <summary>Names a deal: 32 random bytes that the client chose.</summary>
public readonly record struct DealId(Bytes32 Value)
{
    public override string ToString() => Value.ToString();
}

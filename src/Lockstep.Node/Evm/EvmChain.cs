using System.Globalization;
using Lockstep.Payments;

namespace Lockstep.Node.Evm;

/// <summary>What is known of a chain beforehand. A home's settings may say otherwise.</summary>
/// <param name="Id">The chain's number (EIP-155).</param>
/// <param name="Name">For people.</param>
/// <param name="Symbol">Of its own currency.</param>
/// <param name="BlockSeconds">Time between two blocks.</param>
/// <param name="Confirmations">Blocks after which money paid in is counted on.</param>
/// <param name="Finality">Blocks after which nothing is undone any more.</param>
/// <param name="RedeemGas">Gas of a redemption: of the call, and of each voucher in it, with room. A redemption is not estimated by the node, which would learn its secrets.</param>
public sealed record EvmChain(ulong Id, string Name, string Symbol, double BlockSeconds, long Confirmations, long Finality, (long Call, long Voucher) RedeemGas)
{
    // Measured on an EVM: `lockstep rail evm gas`; the limit is half as much again.
    private static readonly (long Call, long Voucher) EvmGas = (90_000, 60_000);

    // FEVM counts Filecoin's gas. Payments of a contract like this one were seen to take 20 million (docs/rails.md); blocks hold 10,000 million.
    private static readonly (long Call, long Voucher) FevmGas = (60_000_000, 40_000_000);

    private static readonly EvmChain[] Known =
    [
        new(1, "Ethereum", "ETH", 12, 6, 64, EvmGas),
        new(314, "Filecoin", "FIL", 30, 5, 900, FevmGas),
        new(314159, "Filecoin Calibration", "tFIL", 30, 5, 900, FevmGas),
        new(31415926, "Filecoin devnet", "tFIL", 4, 2, 900, FevmGas),
        new(31337, "development chain", "tETH", 1, 0, 0, EvmGas),
    ];

    /// <summary>True for chains of Filecoin, whose blocks are epochs and whose gas is Filecoin's.</summary>
    public bool IsFilecoin => RedeemGas == FevmGas;

    /// <summary>True for a chain that one machine runs for tests: it makes blocks when it likes, so its clock says nothing.</summary>
    public bool IsDevelopment => Id is 31337 or 31415926;

    /// <summary>The chain's own currency.</summary>
    public Currency Currency => new(Symbol);

    /// <summary>What is known of a chain; cautious guesses for one that is not.</summary>
    public static EvmChain Of(ulong id) => Array.Find(Known, chain => chain.Id == id)
        ?? new EvmChain(id, string.Create(CultureInfo.InvariantCulture, $"chain {id}"), "ETH", 12, 12, 64, EvmGas);
}

using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Evm;

/// <summary>
/// The contract's rules for redeeming, run on a channel's state before anything is sent: a call that fails on the chain has given
/// its secrets away for nothing. The order is that of <c>redeem</c> in <c>contracts/LockstepChannels.sol</c>.
/// </summary>
public static class ContractRules
{
    /// <summary>What the contract would say to a redemption; null when it would pay.</summary>
    /// <param name="scheme">The rail's vouchers.</param>
    /// <param name="channel">The channel's number.</param>
    /// <param name="state">The channel with all its lanes.</param>
    /// <param name="caller">Who redeems.</param>
    /// <param name="claims">Vouchers with their secrets.</param>
    /// <param name="block">The block that would hold the call.</param>
    public static ContractRefusal? CheckRedemption(
        EvmVoucherScheme scheme, ulong channel, EvmChannel state, EvmAddress caller, IReadOnlyList<RedemptionClaim> claims, Epoch block)
    {
        if (!state.Exists)
            return new ContractRefusal(ContractError.UnknownChannel, null);
        if (caller != state.Payee)
            return new ContractRefusal(ContractError.NotThePayee, null);
        if (state.SettlingAt != 0 && block.Value >= state.SettlingAt)
            return new ContractRefusal(ContractError.ChannelSettled, null);
        if (claims.Count == 0)
            return new ContractRefusal(ContractError.NothingToRedeem, null);

        var raised = new Dictionary<LaneId, LaneSnapshot>();
        TokenAmount owed = state.Owed;
        for (int i = 0; i < claims.Count; i++)
        {
            VoucherTerms terms = claims[i].Voucher.Terms;
            LaneSnapshot lane = raised.GetValueOrDefault(terms.Lane) ?? LaneOf(state, terms.Lane);
            if (CheckClaim(scheme, channel, state, claims[i], lane, block) is { } error)
                return new ContractRefusal(error, i);
            owed += terms.Amount - lane.Redeemed;
            if (owed > state.Balance)
                return new ContractRefusal(ContractError.NotCovered, i);
            raised[terms.Lane] = new LaneSnapshot(terms.Amount, terms.Nonce);
        }

        return null;
    }

    /// <summary>True when the lane stands at this voucher, or beyond it with at least its amount.</summary>
    public static bool IsRedeemed(EvmChannel state, RedemptionClaim claim)
    {
        LaneSnapshot lane = LaneOf(state, claim.Voucher.Lane);
        return lane.Nonce >= claim.Voucher.Nonce && lane.Redeemed >= claim.Voucher.Amount;
    }

    /// <summary>The last block in which the contract would take these vouchers; null when there is none.</summary>
    public static long? LastBlock(EvmChannel state, IReadOnlyList<RedemptionClaim> claims)
    {
        IEnumerable<long> ends = claims.Where(claim => claim.Voucher.Expiry is not null).Select(claim => claim.Voucher.Expiry!.Value.Value);
        if (state.SettlingAt != 0)
            ends = ends.Append(state.SettlingAt - 1);
        long[] all = [.. ends];
        return all.Length == 0 ? null : all.Min();
    }

    private static ContractError? CheckClaim(EvmVoucherScheme scheme, ulong channel, EvmChannel state, RedemptionClaim claim, LaneSnapshot lane, Epoch block)
    {
        VoucherTerms terms = claim.Voucher.Terms;
        if (terms.Lane.Value >= EvmVoucherScheme.MaxLanes)
            return ContractError.BadLane;
        if (terms.Nonce <= lane.Nonce)
            return ContractError.StaleNonce;
        if (terms.Amount <= lane.Redeemed)
            return ContractError.AmountNotRaised;
        if (claim.Voucher.IsExpired(block))
            return ContractError.VoucherExpired;
        if (terms.Lock is { } hashLock && !(claim.Secret is { Length: HashLock.Length } secret && hashLock.OpensWith(secret.Span)))
            return ContractError.WrongSecret;
        // What is signed is read from the bytes that would be sent, whatever the terms beside them say.
        bool isSigned = terms.Channel == scheme.Contract.ChannelAt(channel)
            && scheme.Decode(claim.Voucher.Encoded, LockHashKind.Sha256) is { Accepted: true } verdict
            && verdict.Voucher.Terms == terms && verdict.Voucher.Signer.Text == state.Payer.ToString();
        return isSigned ? null : ContractError.BadSignature;
    }

    private static LaneSnapshot LaneOf(EvmChannel state, LaneId lane) =>
        lane.Value < (ulong)state.Lanes.Count ? state.Lanes[(int)lane.Value] : new LaneSnapshot(TokenAmount.Zero, default);
}

using System.Numerics;
using Lockstep.Node.Hosting;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Evm;

/// <summary>A transaction to be made.</summary>
/// <param name="Subject">What it is for; while one of a subject is on its way no other is made.</param>
/// <param name="To">The contract; null to deploy one.</param>
/// <param name="Value">What is paid with it.</param>
/// <param name="Data">The call.</param>
/// <param name="GasLimit">Null to ask the node, which then sees the call.</param>
/// <param name="ValidUntil">The last block in which it would do what it is for; null for any.</param>
/// <param name="IsRepeatable">True when the contract lets it happen once only, so that it may be sent anew where the first seems lost.</param>
internal sealed record TransactionOrder(
    string Subject, EvmAddress? To, TokenAmount Value, ReadOnlyMemory<byte> Data, long? GasLimit = null, long? ValidUntil = null, bool IsRepeatable = false);

/// <summary>What became of an order.</summary>
/// <param name="Outcome">Executed: it is in a block, though perhaps undone there. Pending: it is on its way. InsufficientFunds, Refused: it was not sent.</param>
/// <param name="Sentence">One sentence for people.</param>
/// <param name="Hash">The transaction's name; null when none was sent.</param>
/// <param name="Receipt">Where it is in a block.</param>
/// <param name="Refusal">Why the contract would refuse it.</param>
internal sealed record OrderResult(RailOutcome Outcome, string Sentence, string? Hash, EvmReceipt? Receipt, ContractRefusal? Refusal = null);

/// <summary>How long and how dearly transactions are sent.</summary>
internal sealed record SendingPolicy
{
    /// <summary>Blocks that must lie on top before a transaction counts.</summary>
    public required long Confirmations { get; init; }

    /// <summary>Blocks after which none vanishes any more.</summary>
    public required long Finality { get; init; }

    /// <summary>Time between two looks.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>After this long without a block a transaction is sent again with a higher fee.</summary>
    public required TimeSpan RaiseAfter { get; init; }

    /// <summary>After this long the caller is told that it is pending.</summary>
    public required TimeSpan Patience { get; init; }

    /// <summary>Never more than this for a unit of gas; null for no limit.</summary>
    public BigInteger? MaxFee { get; init; }
}

/// <summary>
/// Sends transactions of one chain: numbers them, pays what the market asks, raises it when they are left lying, and sees to it that
/// what a reorganisation has undone is sent again. Everything is in the journal before it leaves.
/// </summary>
internal sealed class TransactionSender(EvmNode node, EvmChain chain, TransactionJournal journal, SendingPolicy policy, TimeProvider time, string lockPath) : IDisposable
{
    // Nodes want a replacement to pay a tenth more (FEVM: a quarter).
    private const int RaisePercent = 30;
    private const int NonceTries = 5;

    // A gateway's nodes do not all know the same at the same time: one may count a transaction that another does not show yet.
    private const int LooksBeforeLost = 5;

    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LockPatience = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim _gate = new(1, 1);

    /// <summary>Sends an order, or finds the transaction that an earlier run sent for it, and waits until it counts.</summary>
    /// <exception cref="RailException">The node cannot be asked; asking again finds what was sent.</exception>
    public async Task<OrderResult> SendAsync(SecpKey key, TransactionOrder order, CancellationToken cancellation)
    {
        string account = AccountOf(key);
        for (int attempt = 1; ; attempt++)
        {
            ulong nonce;
            using (await TakeTurnAsync(cancellation).ConfigureAwait(false))
            {
                if (journal.AtWork(account).LastOrDefault(entry => entry.Subject == order.Subject && entry.State == TransactionState.Sent) is { } earlier)
                {
                    nonce = earlier.Nonce;
                    await OfferAsync(earlier, cancellation).ConfigureAwait(false);
                }
                else
                {
                    (OrderResult? refused, nonce) = await BeginAsync(key, account, order, cancellation).ConfigureAwait(false);
                    if (refused is not null)
                        return refused;
                }
            }

            if (await WaitAsync(key, account, nonce, cancellation).ConfigureAwait(false) is { } result)
                return result;
            // Another wallet with this key took the number. What moves money is not sent anew on the word of a node alone.
            if (attempt == NonceTries || !order.IsRepeatable)
                return new OrderResult(RailOutcome.Refused, "Another program sent a transaction from this account in the place of this one; look at what is there before you try again.", null, null);
        }
    }

    /// <summary>Looks at everything that is not settled for good: sends again what has vanished, and notes what is final.</summary>
    /// <exception cref="RailException">The node cannot be asked.</exception>
    public async Task TendAsync(SecpKey key, CancellationToken cancellation)
    {
        string account = AccountOf(key);
        foreach (IGrouping<ulong, JournalEntry> number in journal.AtWork(account).GroupBy(entry => entry.Nonce))
        {
            JournalEntry[] sent = [.. number];
            if (await LookAsync(sent, cancellation).ConfigureAwait(false) is not null)
                continue;
            // Taken by another transaction, and for good.
            string final = EvmNode.Quantity(Math.Max(0, await node.GetBlockNumberAsync(cancellation).ConfigureAwait(false) - Math.Max(1, policy.Finality)));
            if (await node.GetNonceAsync(EvmAddress.Parse(account), final, cancellation).ConfigureAwait(false) > number.Key)
                Replace(sent);
            else
                await OfferAsync(sent[^1], cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose() => _gate.Dispose();

    // ---- One transaction: made, stored, sent ---------------------------------------------------------------------------

    // The number it was sent under, or why it was not.
    private async Task<(OrderResult? Refused, ulong Nonce)> BeginAsync(SecpKey key, string account, TransactionOrder order, CancellationToken cancellation)
    {
        EvmAddress sender = EvmAddress.Parse(account);
        if (order.ValidUntil is { } last && await node.GetBlockNumberAsync(cancellation).ConfigureAwait(false) >= last)
            return (new OrderResult(RailOutcome.Refused, $"It would come too late: block {last} was the last one for it.", null, null), 0);
        long gas;
        try
        {
            // A quarter more than the node says: the state may have moved on by then.
            gas = order.GasLimit ?? await node.EstimateGasAsync(sender, order.To, order.Value, order.Data, cancellation).ConfigureAwait(false) * 5 / 4;
        }
        catch (JsonRpcException fault)
        {
            return (Refused(fault), 0);
        }

        (BigInteger tip, BigInteger fee) = await MarketAsync(cancellation).ConfigureAwait(false);
        if (policy.MaxFee is { } most && fee > most)
        {
            string sentence = $"A unit of gas costs {fee} atto now, more than the {most} that the settings allow; wait, or raise maxFeePerGas.";
            return (new OrderResult(RailOutcome.Refused, sentence, null, null), 0);
        }

        TokenAmount balance = await node.GetBalanceAsync(sender, EvmNode.Latest, cancellation).ConfigureAwait(false);
        var needed = new TokenAmount(order.Value.Atto + fee * gas);
        if (balance < needed)
        {
            string sentence = $"{account} holds {chain.Currency.Format(balance)}; {chain.Currency.Format(needed)} may be needed with gas, so send it {chain.Currency.Format(needed - balance)}.";
            return (new OrderResult(RailOutcome.InsufficientFunds, sentence, null, null), 0);
        }

        for (int attempt = 1; ; attempt++)
        {
            IReadOnlyList<JournalEntry> atWork = journal.AtWork(account);
            // A node that was restarted has forgotten them, and would never take a higher number.
            foreach (JournalEntry waiting in atWork.Where(entry => entry.State == TransactionState.Sent))
                await OfferAsync(waiting, cancellation).ConfigureAwait(false);
            ulong nonce = await node.GetNonceAsync(sender, "pending", cancellation).ConfigureAwait(false);
            foreach (JournalEntry waiting in atWork.Where(entry => entry.State == TransactionState.Sent))
                nonce = Math.Max(nonce, waiting.Nonce + 1);
            JournalEntry entry = Store(key, order, nonce, tip, fee, gas);
            try
            {
                await node.SendAsync(entry.Raw, cancellation).ConfigureAwait(false);
                return (null, nonce);
            }
            catch (JsonRpcException fault) when (IsKnown(fault))
            {
                return (null, nonce);
            }
            catch (JsonRpcException fault) when (IsNonceTaken(fault) && attempt < NonceTries)
            {
                journal.Set(entry, TransactionState.Replaced, 0);
            }
            catch (JsonRpcException fault)
            {
                journal.Set(entry, TransactionState.Replaced, 0);
                return (Refused(fault), 0);
            }
        }
    }

    private JournalEntry Store(SecpKey key, TransactionOrder order, ulong nonce, BigInteger tip, BigInteger fee, long gas)
    {
        SignedEvmTransaction signed = new EvmTransaction
        {
            ChainId = chain.Id,
            Nonce = nonce,
            MaxPriorityFeePerGas = tip,
            MaxFeePerGas = fee,
            GasLimit = (ulong)gas,
            To = order.To,
            Value = order.Value,
            Data = order.Data,
        }.Sign(key);
        var entry = new JournalEntry(
            AccountOf(key), nonce, order.Subject, EvmNode.Hex(signed.Hash.Span), signed.Raw, order.To?.ToString(), order.Value, order.Data, gas, order.ValidUntil,
            tip, fee, time.GetUtcNow(), TransactionState.Sent, 0);
        journal.Add(entry);
        return entry;
    }

    // Twice the base fee lasts for six full blocks in a row.
    private async Task<(BigInteger Tip, BigInteger Fee)> MarketAsync(CancellationToken cancellation)
    {
        EvmBlock head = await node.GetBlockAsync(EvmNode.Latest, cancellation).ConfigureAwait(false) ?? throw new RailException($"The node {node.Name} has no blocks yet; wait until it has caught up.");
        BigInteger tip = await node.GetPriorityFeeAsync(cancellation).ConfigureAwait(false);
        return (tip, 2 * head.BaseFee + tip);
    }

    // Sends what is stored; a node that has it already, or knows better, says so and nothing is lost.
    private async Task OfferAsync(JournalEntry entry, CancellationToken cancellation)
    {
        if (entry.ValidUntil is { } last && await node.GetBlockNumberAsync(cancellation).ConfigureAwait(false) >= last)
        {
            // Whether it was sent before is not known; if it was, its number tells in time.
            journal.Set(entry, TransactionState.Replaced, 0);
            return;
        }

        try
        {
            await node.SendAsync(entry.Raw, cancellation).ConfigureAwait(false);
        }
        catch (JsonRpcException)
        {
            // It is known, or its number is taken: the next look tells.
        }
    }

    // ---- Waiting -------------------------------------------------------------------------------------------------------

    // Null when another transaction took the number.
    private async Task<OrderResult?> WaitAsync(SecpKey key, string account, ulong nonce, CancellationToken cancellation)
    {
        long began = time.GetTimestamp(), raised = began;
        int lost = 0;
        while (true)
        {
            JournalEntry[] sent = [.. journal.Sendings(account, nonce).Where(entry => entry.State != TransactionState.Replaced)];
            if (sent.Length == 0)
                return null;
            if (await LookAsync(sent, cancellation).ConfigureAwait(false) is { } receipt)
            {
                long head = await node.GetBlockNumberAsync(cancellation).ConfigureAwait(false);
                if (head - receipt.Block >= policy.Confirmations)
                    return new OrderResult(RailOutcome.Executed, $"It is in block {receipt.Block}.", receipt.Transaction, receipt);
            }
            else if (await IsNumberTakenAsync(account, sent, cancellation).ConfigureAwait(false))
            {
                if (++lost == LooksBeforeLost)
                {
                    Replace(sent);
                    return null;
                }
            }
            else if (time.GetElapsedTime(raised) >= policy.RaiseAfter)
            {
                await RaiseAsync(key, sent[^1], cancellation).ConfigureAwait(false);
                raised = time.GetTimestamp();
            }

            if (time.GetElapsedTime(began) >= policy.Patience)
                return new OrderResult(RailOutcome.Pending, $"Transaction {sent[^1].Hash} is on its way; ask again later.", sent[^1].Hash, null);
            await Task.Delay(policy.Interval, time, cancellation).ConfigureAwait(false);
        }
    }

    // The receipt of one of the sendings of a number, if it lies in a block of the chain as it is now.
    private async Task<EvmReceipt?> LookAsync(JournalEntry[] sent, CancellationToken cancellation)
    {
        foreach (JournalEntry entry in sent.Reverse())
        {
            if (await node.GetReceiptAsync(entry.Hash, cancellation).ConfigureAwait(false) is not { } receipt)
                continue;
            EvmBlock? block = await node.GetBlockAsync(EvmNode.Quantity(receipt.Block), cancellation).ConfigureAwait(false);
            if (block?.Hash != receipt.BlockHash)
                continue;
            long head = await node.GetBlockNumberAsync(cancellation).ConfigureAwait(false);
            journal.SetIncluded(entry, head - receipt.Block >= policy.Finality ? TransactionState.Final : TransactionState.Included, receipt);
            return receipt;
        }

        foreach (JournalEntry vanished in sent.Where(entry => entry.State == TransactionState.Included))
            journal.Set(vanished, TransactionState.Sent, 0);
        return null;
    }

    // The chain counts more transactions than this number, though ours is none of them. Asked again after the receipts, since ours
    // may have been included in between.
    private async Task<bool> IsNumberTakenAsync(string account, JournalEntry[] sent, CancellationToken cancellation) =>
        await node.GetNonceAsync(EvmAddress.Parse(account), EvmNode.Latest, cancellation).ConfigureAwait(false) > sent[0].Nonce
        && await LookAsync(sent, cancellation).ConfigureAwait(false) is null;

    private async Task RaiseAsync(SecpKey key, JournalEntry last, CancellationToken cancellation)
    {
        (BigInteger tip, BigInteger fee) = await MarketAsync(cancellation).ConfigureAwait(false);
        tip = BigInteger.Max(tip, Raised(last.Tip));
        fee = BigInteger.Max(fee, Raised(last.Fee));
        if (policy.MaxFee is { } most && fee > most)
            return;
        EvmAddress? to = last.To is { } address ? EvmAddress.Parse(address) : null;
        var order = new TransactionOrder(last.Subject, to, last.Value, last.Data, last.Gas, last.ValidUntil);
        await OfferAsync(Store(key, order, last.Nonce, tip, fee, last.Gas), cancellation).ConfigureAwait(false);
    }

    private static BigInteger Raised(BigInteger fee) => fee * (100 + RaisePercent) / 100 + 1;

    private void Replace(JournalEntry[] sent)
    {
        foreach (JournalEntry entry in sent)
            journal.Set(entry, TransactionState.Replaced, 0);
    }

    private static string AccountOf(SecpKey key) => EvmAddress.FromPublicKey(key.PublicKey.Span).ToString();

    // ---- Turns and refusals --------------------------------------------------------------------------------------------

    // Processes of one home share an account: whoever counts and stores a number does so alone.
    private async Task<IDisposable> TakeTurnAsync(CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            for (long began = time.GetTimestamp(); ;)
            {
                try
                {
                    return new Turn(_gate, PrivateFile.Open(lockPath, FileMode.OpenOrCreate, FileShare.None));
                }
                catch (IOException) when (File.Exists(lockPath) && time.GetElapsedTime(began) < LockPatience)
                {
                    await Task.Delay(LockPause, time, cancellation).ConfigureAwait(false);
                }
                catch (Exception fault) when (PrivateFile.IsIo(fault))
                {
                    throw new RailException($"The lock {lockPath} could not be taken: {fault.Message}", fault);
                }
            }
        }
        catch
        {
            _gate.Release();
            throw;
        }
    }

    private static OrderResult Refused(JsonRpcException fault)
    {
        if (fault.Message.Contains("insufficient funds", StringComparison.OrdinalIgnoreCase))
            return new OrderResult(RailOutcome.InsufficientFunds, $"The account cannot pay for it: {fault.Message}.", null, null);
        byte[] data = EvmNode.TryBytes(fault.ErrorData);
        if (data.Length == 0)
            return new OrderResult(RailOutcome.Refused, $"The node does not take it: {fault.Message}.", null, null);
        var refusal = ContractRefusal.Parse(data);
        return new OrderResult(RailOutcome.Refused, refusal.Sentence, null, null, refusal);
    }

    private static bool IsKnown(JsonRpcException fault) => Says(fault, "already known", "already imported", "already in mpool", "known transaction");

    private static bool IsNonceTaken(JsonRpcException fault) => Says(fault, "nonce too low", "replacement transaction underpriced", "nonce already", "nonce has already", "minimum expected nonce");

    private static bool Says(JsonRpcException fault, params ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            if (fault.Message.Contains(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private sealed class Turn(SemaphoreSlim gate, IDisposable file) : IDisposable
    {
        public void Dispose()
        {
            file.Dispose();
            gate.Release();
        }
    }
}

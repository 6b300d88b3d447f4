using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Client;

// How a deal ends: whole, or stopped as soon as no lock is open.
public sealed partial class ClientDeal
{
    private StopOrder? _stop => _row.Stop;

    // The peer broke the protocol or showed a proof that does not hold. Nothing is signed for it.
    private void Refuse(string sentence) => Stop(Errored, $"{sentence} No voucher was signed for it; what was paid for is held.");

    private void Stop(DealStatus status, string sentence)
    {
        if (_walk.IsOver || _stop is not null)
            return;
        _row = _row with { Stop = new StopOrder(status, sentence), Sentence = sentence };
        _incoming = null;
        foreach (Timer timer in new[] { Timer.Accept, Timer.Channel, Timer.WarmUp, Timer.Block, Timer.Verify, Timer.Funds })
            _timers.Remove(timer);
        if (status != DealNotFound)
            Send(new ClientMessage.Cancel(sentence.Length <= WireLimits.MaxSentenceLength ? sentence : sentence[..WireLimits.MaxSentenceLength]));
        TryEndStopped();
    }

    // A chunk with an open lock may still be paid for by the rail; its key is waited for, from either. What is paid for is opened.
    private void TryEndStopped()
    {
        if (_walk.IsOver || (OpenLocks() > 0 && !Terms.IsFree) || _chunks.Values.Any(chunk => chunk.Opening))
            return;
        SignClosing();
        SendClosing();
        End(_stop!.Status, _stop.Sentence);
    }

    private void End(DealStatus status, string sentence)
    {
        _row = _row with { Sentence = sentence };
        _walk.Deal(status);
        Finish();
    }

    private void BeginClosing()
    {
        SignClosing();
        bool nothingToSay = _row.ClosingAcknowledged || _walk.Status != Completed || ClosingVouchers().Count == 0;
        if (nothingToSay)
        {
            Finish();
            return;
        }
        _timers.Clear();
        _timers[Timer.Closing] = _now.Time + Policy.ClosingTimeout;
        if (_connected)
            SendClosing();
        else
            Do(new ClientEffect.Connect());
    }

    // What is owed is said even when the rail could not be asked yet, as after a restart: nothing comes after this.
    private void SignClosing()
    {
        if (Channel is not { } channel)
            return;
        foreach (LaneId lane in _row.Lanes)
            SignUnlocked(channel, lane, chunk: null);
    }

    private List<PaymentVoucher> ClosingVouchers() => [.. _row.Lanes.Where(_unlocked.ContainsKey).Select(lane => _unlocked[lane])];

    private void SendClosing()
    {
        List<PaymentVoucher> closing = ClosingVouchers();
        if (closing.Count > 0)
            Send(new ClientMessage.ClosingVouchers([.. closing.Select(voucher => voucher.Encoded)]));
    }

    private void OnClosingReceipt(IReadOnlyList<LaneId> lanes)
    {
        if (_walk.Status != Completed || !ClosingVouchers().All(voucher => lanes.Contains(voucher.Lane)))
            return;
        _row = _row with { ClosingAcknowledged = true };
        Finish();
    }

    private void Finish()
    {
        _finished = true;
        _timers.Clear();
        Do(new ClientEffect.Finished(_walk.Status, _row.Sentence));
    }
}

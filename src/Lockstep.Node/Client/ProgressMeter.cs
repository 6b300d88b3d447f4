using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Protocol;

namespace Lockstep.Node.Client;

/// <summary>Turns a deal's steps into what a user watches.</summary>
internal sealed class ProgressMeter(IProgress<RetrievalProgress>? target, TimeProvider time)
{
    private RetrievalProgress? _last;
    private (long Bytes, long At)? _start;
    private (long, long)? _unsealed;

    public void Observe(ClientDeal deal, ClientEvent happened)
    {
        if (target is null)
            return;
        if (happened is ClientEvent.Received { Message: ProviderMessage.UnsealProgress unsealing })
            _unsealed = (unsealing.BytesDone, unsealing.BytesTotal);
        ClientDealRow row = deal.Row;
        long total = row.Content?.Size ?? 0;
        _start ??= (row.BytesReceived, time.GetTimestamp());
        double seconds = time.GetElapsedTime(_start.Value.At).TotalSeconds;
        double speed = row.BytesReceived > _start.Value.Bytes && seconds > 0 ? (row.BytesReceived - _start.Value.Bytes) / seconds : 0;
        TimeSpan? remaining = speed > 0 ? TimeSpan.FromSeconds((total - row.BytesReceived) / speed) : null;
        var progress = new RetrievalProgress(deal.DealId, deal.Status, row.BytesReceived, total, row.Paid, speed, remaining, _unsealed, row.Sentence);

        // Most steps change nothing that a user sees.
        bool same = _last is { } last && progress with { BytesPerSecond = last.BytesPerSecond, Remaining = last.Remaining } == last;
        if (same)
            return;
        _last = progress;
        target.Report(progress);
    }
}

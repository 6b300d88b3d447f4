using System.Collections.Concurrent;
using System.Threading.Channels;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;

namespace Lockstep.Node.Provider;

/// <summary>
/// What goes out on one Exchange stream. Short messages (keys, states, faults) overtake the parts of windows, so that a key
/// does not wait behind a megabyte; link blocks and windows keep their order among themselves, as the protocol wants.
/// </summary>
internal sealed class DealStream(DealId deal)
{
    private readonly ConcurrentQueue<ProviderMessage> _short = new();
    private readonly ConcurrentQueue<IEnumerable<ProviderMessage>> _long = new();
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile bool _ending;

    public DealId Deal { get; } = deal;

    public void Send(ProviderMessage message)
    {
        _short.Enqueue(message);
        _news.Writer.TryWrite(true);
    }

    /// <summary>Sends a sequence that is made while it is sent, one message in memory at a time.</summary>
    public void Send(IEnumerable<ProviderMessage> messages)
    {
        _long.Enqueue(messages);
        _news.Writer.TryWrite(true);
    }

    /// <summary>Ends the stream once the short messages before are sent; what is left of the long ones is not.</summary>
    public void End()
    {
        _ending = true;
        _news.Writer.TryWrite(true);
    }

    /// <summary>Writes until the stream is ended.</summary>
    /// <param name="write">Writes one message; waits while the peer does not read.</param>
    /// <param name="cancellation">The peer is gone.</param>
    public async Task RunAsync(Func<ProviderMessage, Task> write, CancellationToken cancellation)
    {
        IEnumerator<ProviderMessage>? current = null;
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                if (_short.TryDequeue(out ProviderMessage? message))
                {
                    await write(message).ConfigureAwait(false);
                    continue;
                }

                if (_ending)
                    return;
                if (current is null && _long.TryDequeue(out IEnumerable<ProviderMessage>? next))
                    current = next.GetEnumerator();
                if (current is null)
                {
                    await _news.Reader.ReadAsync(cancellation).ConfigureAwait(false);
                }
                else if (current.MoveNext())
                {
                    await write(current.Current).ConfigureAwait(false);
                }
                else
                {
                    current.Dispose();
                    current = null;
                }
            }
        }
        finally
        {
            current?.Dispose();
        }
    }
}

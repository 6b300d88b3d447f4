using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Lockstep.Node.Transport;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Protocol;
using Service = Lockstep.Retrieval.Protocol.Wire.Retrieval;
using Wire = Lockstep.Retrieval.Protocol.Wire;

namespace Lockstep.Node.Client;

/// <summary>
/// One Exchange call of a client. What comes in is handed on one message at a time and waits for its turn, so that a slow
/// buyer slows its seller down (the call's flow-control window) and memory stays bounded.
/// </summary>
internal sealed class ExchangeStream : IAsyncDisposable
{
    private readonly PeerChannel _peer;
    private readonly Func<ClientEvent, Task> _received;
    private readonly Action<string> _ended;
    private readonly TrafficCounter _traffic;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<Wire.ClientFrame> _outgoing =
        Channel.CreateUnbounded<Wire.ClientFrame>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly Task _running;

    /// <summary>Opens the stream.</summary>
    /// <param name="peer">The provider.</param>
    /// <param name="received">Takes each message; the next is read when its task has ended.</param>
    /// <param name="ended">Told once, with one sentence, unless the stream was disposed.</param>
    /// <param name="traffic">Counts bytes.</param>
    public ExchangeStream(PeerChannel peer, Func<ClientEvent, Task> received, Action<string> ended, TrafficCounter traffic)
    {
        (_peer, _received, _ended, _traffic) = (peer, received, ended, traffic);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Sends in the order of the calls; after the end it does nothing.</summary>
    public void Send(ClientMessage message) => _outgoing.Writer.TryWrite(WireWriter.Write(message));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        string sentence;
        try
        {
            using AsyncDuplexStreamingCall<Wire.ClientFrame, Wire.ProviderFrame> call =
                new Service.RetrievalClient(_peer.Calls).Exchange(cancellationToken: _stop.Token);
            Task writing = WriteAsync(call.RequestStream);
            sentence = await ReadAsync(call.ResponseStream).ConfigureAwait(false);
            _outgoing.Writer.TryComplete();
            await writing.ConfigureAwait(false);
        }
        catch (RpcException fault)
        {
            sentence = _peer.Explain(fault).Message;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        catch (OperationCanceledException)
        {
            // The library also cancels a call whose connection could not be made: that is an end like any other.
            sentence = "The connection was lost before the stream began.";
        }

        if (!_stop.IsCancellationRequested)
            _ended(sentence);
    }

    private async Task<string> ReadAsync(IAsyncStreamReader<Wire.ProviderFrame> stream)
    {
        while (await stream.MoveNext(_stop.Token).ConfigureAwait(false))
        {
            Wire.ProviderFrame frame = stream.Current;
            _traffic.CountIn(frame);
            if (!WireReader.Read(frame).Try(out ProviderMessage? message, out Refusal? refusal))
                return $"The provider sent a message that breaks the protocol: {refusal.Sentence}";
            await _received(new ClientEvent.Received(message)).ConfigureAwait(false);
        }

        return "The provider ended the stream.";
    }

    private async Task WriteAsync(IClientStreamWriter<Wire.ClientFrame> stream)
    {
        try
        {
            await foreach (Wire.ClientFrame frame in _outgoing.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                await stream.WriteAsync(frame, _stop.Token).ConfigureAwait(false);
                _traffic.CountOut(frame);
            }

            await stream.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is RpcException or OperationCanceledException or InvalidOperationException)
        {
            // The reader learns the reason from the call's status.
        }
    }
}

/// <summary>Counts the messages of a run over all its streams.</summary>
internal sealed class TrafficCounter
{
    private long _wire;
    private long _proof;
    private long _in;
    private long _out;

    public Traffic Total => new(Interlocked.Read(ref _wire), Interlocked.Read(ref _proof), Interlocked.Read(ref _in), Interlocked.Read(ref _out));

    public void CountIn(Wire.ProviderFrame frame)
    {
        Count(frame, ref _in);
        if (frame.ProofPart is { } part)
            Interlocked.Add(ref _proof, part.Data.Length);
    }

    public void CountOut(Wire.ClientFrame frame) => Count(frame, ref _out);

    private void Count(IMessage frame, ref long messages)
    {
        Interlocked.Increment(ref messages);
        Interlocked.Add(ref _wire, frame.CalculateSize());
    }
}

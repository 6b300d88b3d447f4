using Grpc.Core;
using Lockstep.Content.Cids;
using Lockstep.Node.Identity;
using Lockstep.Node.Transport;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;
using Service = Lockstep.Retrieval.Protocol.Wire.Retrieval;
using Wire = Lockstep.Retrieval.Protocol.Wire;

namespace Lockstep.Node.Provider;

/// <summary>The provider's end of the wire protocol: who may speak to which deal, and untrusted bytes to checked messages.</summary>
internal sealed class ProviderService(ProviderLoop loop, Catalog catalog) : Service.RetrievalBase
{
    private const int MaxReadAhead = 16;

    /// <inheritdoc/>
    public override Task<Wire.QueryResponse> Query(Wire.QueryRequest request, ServerCallContext context)
    {
        if (!WireReader.Read(request).Try(out QueryAbout? about, out Refusal? refusal))
            throw Malformed(refusal);
        Cid? root = about.Root;
        ContentSummary? content = root is null ? null : catalog.Find(root);
        string message = root is not null && content is null ? $"The content {root} is not sold here." : "";
        return Task.FromResult(WireWriter.Write(new AskAnswer(content, catalog.AskFor(root), message)));
    }

    /// <inheritdoc/>
    public override async Task<Wire.ProposeResponse> Propose(Wire.ProposeRequest request, ServerCallContext context)
    {
        if (ClientKey(context) is not { } key)
            throw new RpcException(new Status(StatusCode.Unauthenticated, "Show the client key that the proposal names."));
        if (!WireReader.Read(request).Try(out SignedProposal? proposal, out Refusal? refusal))
            throw Malformed(refusal);
        return WireWriter.Write(await LoopAsync(loop.ProposeAsync(proposal, key)).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public override async Task Exchange(
        IAsyncStreamReader<Wire.ClientFrame> requestStream, IServerStreamWriter<Wire.ProviderFrame> responseStream, ServerCallContext context)
    {
        Task Write(ProviderMessage message) => responseStream.WriteAsync(WireWriter.Write(message), context.CancellationToken);

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        patience.CancelAfter(TransportLimits.CallTimeout);
        if (!await requestStream.MoveNext(patience.Token).ConfigureAwait(false))
            return;
        if (!WireReader.Read(requestStream.Current).Try(out ClientMessage? first, out Refusal? refusal) || first is not ClientMessage.Attach attach)
        {
            await Write(BadMessage(refusal?.Sentence ?? "The first message is Attach.")).ConfigureAwait(false);
            return;
        }

        // A stranger with a deal's id learns nothing, not even that there is such a deal.
        DealStream? stream = ClientKey(context) is { } key ? await LoopAsync(loop.AttachAsync(attach, key)).ConfigureAwait(false) : null;
        if (stream is null)
        {
            await Write(ProviderDeal.NotFound).ConfigureAwait(false);
            return;
        }

        Task reading = ReadAsync(requestStream, stream, context.CancellationToken);
        try
        {
            await stream.RunAsync(Write, context.CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await loop.DetachAsync(stream).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // The call's end ends the reader; how it ended is of no interest then.
            _ = reading.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    // Few messages ahead of the loop: those that came together are stored together, and a flood waits in the client's own window.
    private async Task ReadAsync(IAsyncStreamReader<Wire.ClientFrame> requests, DealStream stream, CancellationToken cancellation)
    {
        var ahead = new Queue<Task>();
        try
        {
            while (await requests.MoveNext(cancellation).ConfigureAwait(false))
            {
                if (!WireReader.Read(requests.Current).Try(out ClientMessage? message, out Refusal? refusal))
                {
                    stream.Send(BadMessage(refusal.Sentence));
                    break;
                }

                ahead.Enqueue(loop.ReceiveAsync(stream, message));
                while (ahead.TryPeek(out Task? oldest) && (oldest.IsCompleted || ahead.Count > MaxReadAhead))
                    await ahead.Dequeue().ConfigureAwait(false);
            }
        }
        finally
        {
            await loop.EndAsync(stream).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stream.End();
        }
    }

    private static Bytes32? ClientKey(ServerCallContext context) =>
        RpcHost.ClientKey(context.GetHttpContext()) is { } key ? new Bytes32(key.Bytes.Span) : null;

    private static ProviderMessage.Fault BadMessage(string sentence) => new(FaultCode.BadMessage, sentence, null);

    private static RpcException Malformed(Refusal refusal) => new(new Status(StatusCode.InvalidArgument, refusal.Sentence));

    // A loop that has ended takes no calls; the client comes back to the next one.
    private static async Task<T> LoopAsync<T>(Task<T> call)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The provider is stopping."));
        }
    }
}

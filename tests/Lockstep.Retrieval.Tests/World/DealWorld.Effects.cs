using System.Security.Cryptography;
using Google.Protobuf;
using Lockstep.Content;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Tests.World;

// Carries out what the deals decide, with crashes between any two effects.
internal sealed partial class DealWorld
{
    public List<string> Trace { get; } = [];

    private void StartClient(Func<ClientDeal> make)
    {
        _client = make();
        ClientStep(new ClientEvent.Start());
    }

    private void ClientStep(ClientEvent happened)
    {
        if (_client is not { } deal)
            return;
        Trace.Add($"{_time} client <- {Short(happened)} [{deal.Status}]");
        DealStep<ClientEffect> step = deal.Step(happened, Now);
        if (ClientCrash.Now())
        {
            CrashClient();
            return;
        }
        ClientStore.Commit(step.Batch);
        CheckAll();
        foreach (ClientEffect effect in step.Effects)
        {
            if (ClientCrash.Now())
            {
                CrashClient();
                return;
            }
            if (!ClientIgnores(effect))
                Carry(effect);
        }
        if (ClientCrash.Now())
            CrashClient();
    }

    private void ProviderStep(ProviderEvent happened)
    {
        if (_provider is not { } deal || !ProviderUp)
            return;
        Trace.Add($"{_time} provider <- {Short(happened)} [{deal.Status}]");
        DealStep<ProviderEffect> step = deal.Step(happened, Now);
        if (ProviderCrash.Now())
        {
            CrashProvider();
            return;
        }
        ProviderStore.Commit(step.Batch);
        CheckAll();
        foreach (ProviderEffect effect in step.Effects)
        {
            if (ProviderCrash.Now())
            {
                CrashProvider();
                return;
            }
            if (!ProviderIgnores(effect))
                Carry(effect);
        }
        if (ProviderCrash.Now())
            CrashProvider();
    }

    private static string Short(object happened) =>
        happened switch
        {
            ClientEvent.Received received => received.Message.ToString()!,
            ProviderEvent.Received received => received.Message.ToString()!,
            _ => happened.ToString()!,
        };

    public void CrashClient()
    {
        _clientQueue.Clear();
        _payerChannels = [];
        Disconnect();
        _clientQueue.Clear();
        _client = null;
        ClientEnd = null;
        if (ClientStore.Client is null)
            _clientQueue.Enqueue(Start);
        else
            _clientQueue.Enqueue(() => StartClient(() => ClientDeal.Restore(ClientContext(), ClientStore.ClientSnapshot())));
    }

    public void CrashProvider()
    {
        _providerQueue.Clear();
        _payeeChannels = [];
        Disconnect();
        _providerQueue.Clear();
        _provider = null;
        ProviderEnd = null;
        if (ProviderStore.Provider is { } row)
        {
            _providerQueue.Enqueue(() =>
            {
                _provider = ProviderDeal.Restore(ProviderContext(), ProviderStore.ProviderSnapshot());
                if (row.Channel is { } channel)
                    new PayeeChannels(this).Get(channel);
                ProviderStep(new ProviderEvent.Start());
            });
        }
    }

    private void Carry(ClientEffect effect)
    {
        switch (effect)
        {
            case ClientEffect.Propose propose:
                SignedProposal proposal = Cross(WireWriter.Write(propose.Proposal), WireReader.Read);
                _providerQueue.Enqueue(() => Answer(proposal));
                break;
            case ClientEffect.Connect:
                if (!ProviderUp)
                {
                    ToClient(new ClientEvent.Disconnected("Nobody answers."));
                    break;
                }
                Disconnect();
                _connected = true;
                int stream = ++_connection;
                _clientQueue.Enqueue(() =>
                {
                    if (_connected && stream == _connection)
                        ClientStep(new ClientEvent.Connected());
                });
                break;
            case ClientEffect.Disconnect:
                EndConnection();
                break;
            case ClientEffect.Send send:
                if (FromClient(send.Message) is { } message && _connected)
                {
                    NoteSent(message);
                    if (FromClientRaw(message) is not { } raw)
                        break;
                    ClientMessage crossed = Cross(WireWriter.Write(raw), WireReader.Read);
                    int connection = _connection;
                    _providerQueue.Enqueue(() => Deliver(connection, crossed));
                }
                break;
            case ClientEffect.VerifyWindow verify:
                string? refusal = VerifyWithTruth(verify);
                ToClient(new ClientEvent.WindowVerified(verify.Offer.Window, refusal));
                break;
            case ClientEffect.OpenChunk open:
                ReadOnlyMemory<byte> ciphertext = ClientStore.Ciphertexts[open.Chunk.Index];
                ToClient(new ClientEvent.ChunkOpened(open.Chunk.Index, Xor(ciphertext.Span, open.Key.Span), null));
                break;
            case ClientEffect.FindChannels:
                ToClient(new ClientEvent.ChannelsFound(Ledger.All(Epoch)));
                break;
            case ClientEffect.OpenChannel open:
                OpenChannelReceipt opened = Ledger.Open(open.Amount, open.LockHash, Epoch);
                ToClient(new ClientEvent.ChannelChanged(opened.Receipt.Outcome, opened.Receipt.Sentence));
                break;
            case ClientEffect.TopUp topUp:
                RailReceipt receipt = Ledger.TopUp(topUp.Channel, topUp.Amount, Epoch);
                ToClient(new ClientEvent.ChannelChanged(receipt.Outcome, receipt.Sentence));
                break;
            case ClientEffect.ReadChannel read:
                ToClient(new ClientEvent.ChannelObserved(Ledger.Read(read.Channel, Epoch)));
                break;
            case ClientEffect.ReadRedemptions read:
                ToClient(new ClientEvent.RedemptionsRead(Ledger.ReadRedemptions(read.Channel, read.Since), Epoch));
                break;
            case ClientEffect.Finished finished:
                ClientEnd = (finished.Status, finished.Sentence);
                // What was sent before still arrives: the client closes its half of the stream.
                int last = _connection;
                _providerQueue.Enqueue(() =>
                {
                    if (last == _connection)
                        EndConnection();
                });
                break;
            default: throw new InvalidOperationException(effect.GetType().Name);
        }
    }

    private void ToClient(ClientEvent happened) => _clientQueue.Enqueue(() => ClientStep(happened));

    private void ToProvider(ProviderEvent happened) => _providerQueue.Enqueue(() => ProviderStep(happened));

    // The side that ends the stream gets no event for it.
    private void EndConnection()
    {
        _connected = false;
        Detach();
    }

    private void Detach()
    {
        if (_attachedTo == _connection)
            ToProvider(new ProviderEvent.Detached());
        _attachedTo = -1;
    }

    private void Answer(SignedProposal proposal)
    {
        if (!ProviderUp)
            return;
        if (_provider is null)
        {
            var ask = new ProviderAsk
            {
                PricePerByte = Options.AskPrice,
                UnsealPrice = Options.UnsealPrice,
                Suites = ["stand-in"],
                LockHashes = [LockHashKind.Sha256, LockHashKind.Blake2b256],
                Rails = [new RailAccount("test", Payee)],
            };
            if (ProposalRules.Check(proposal, ask, Summary, Fingerprint(IdentityName), ClientKey, _scheme, Epoch) is { } refusal)
            {
                ToClient(new ClientEvent.ProposalAnswered(new ProposalAnswer.Rejected(refusal)));
                return;
            }
            _provider = ProviderDeal.Begin(ProviderContext(), proposal, Summary, ProposalRules.UnsealDue(ask, Summary));
            ProviderStep(new ProviderEvent.Start());
            if (_provider is null)
            {
                // It crashed over the proposal, so the answer never came.
                ToClient(new ClientEvent.Disconnected("The provider went away."));
                return;
            }
        }
        ProposalAnswer answer = Cross(WireWriter.Write(_provider.Answer()), WireReader.Read);
        ToClient(new ClientEvent.ProposalAnswered(answer));
    }

    // What an ended stream still carried is lost with it.
    private void Deliver(int connection, ClientMessage message)
    {
        if (!ProviderUp || !_connected || connection != _connection)
            return;
        if (message is ClientMessage.Attach attach)
        {
            if (_provider is null || attach.DealId != _provider.DealId || !_provider.Admits(ClientKey))
            {
                ToClient(new ClientEvent.Received(ProviderDeal.NotFound));
                return;
            }
            _attachedTo = connection;
            ProviderStep(new ProviderEvent.Attached(attach));
        }
        else if (_attachedTo == connection)
            ProviderStep(new ProviderEvent.Received(message));
    }

    private void Carry(ProviderEffect effect)
    {
        switch (effect)
        {
            case ProviderEffect.Send send:
                SendToClient(send.Message);
                break;
            case ProviderEffect.Disconnect:
                if (_connected)
                    ToClient(new ClientEvent.Disconnected("The provider ended the stream."));
                _connected = false;
                _attachedTo = -1;
                break;
            case ProviderEffect.PrepareContent:
                ToProvider(new ProviderEvent.ContentProgress(1, 2));
                ToProvider(new ProviderEvent.ContentReady(Manifest));
                break;
            case ProviderEffect.SendLinkBlocks links:
                foreach (Outcome<ProviderMessage.LinkBlock> block in LinkBlockStream.Read(links.Manifest, ProviderStore.Blocks, links.From))
                    SendToClient(block.Value);
                break;
            case ProviderEffect.SealWindow seal:
                SealedWindow made = Prover(Seal(seal));
                ToProvider(new ProviderEvent.WindowSealed(seal.Window, made));
                break;
            case ProviderEffect.SendWindow send:
                foreach (ProviderMessage message in WireWriter.WindowFrames(ProviderStore.Windows[send.Window]))
                    SendToClient(message);
                break;
            case ProviderEffect.ResendKey resend:
                ProviderChunkRow row = ProviderStore.ProviderChunks[resend.Chunk];
                if (row.Walk.Finished && (row.Voucher is not null || Options.Price.IsZero))
                    SendToClient(new ProviderMessage.KeyReveal(resend.Chunk, ProviderStore.Find(row.Offered!.Lock)!.Value));
                break;
            case ProviderEffect.ReadChannel read:
                ToProvider(new ProviderEvent.ChannelObserved(Ledger.Read(read.Channel, Epoch)));
                break;
            case ProviderEffect.Finished finished:
                ProviderEnd = (finished.Status, finished.Sentence);
                break;
            default: throw new InvalidOperationException(effect.GetType().Name);
        }
    }

    private void SendToClient(ProviderMessage original)
    {
        if (original is ProviderMessage.KeyReveal reveal)
            CheckReveal(reveal);
        if (FromProvider(original) is not { } message || !_connected || _attachedTo != _connection)
            return;
        ProviderSent.Add(message);
        int connection = _connection;
        ProviderMessage crossed = Cross(WireWriter.Write(message), WireReader.Read);
        _clientQueue.Enqueue(() =>
        {
            if (_connected && connection == _connection)
                ClientStep(new ClientEvent.Received(crossed));
        });
    }

    private static TMessage Cross<TWire, TMessage>(TWire frame, Func<TWire, Parsed<TMessage>> read)
        where TWire : class, IMessage<TWire>, new()
        where TMessage : class
    {
        Assert.True(WireReader.Decode<TWire>(frame.ToByteArray()).Try(out TWire? decoded, out Refusal? broken), broken?.Sentence);
        Assert.True(read(decoded).Try(out TMessage? message, out Refusal? refusal), refusal?.Sentence);
        return message;
    }

    private SealedWindow Seal(ProviderEffect.SealWindow seal)
    {
        var chunks = new List<SealedChunk>();
        foreach (ChunkToSeal chunk in seal.Chunks)
        {
            byte[] data = ProviderStore.Blocks.Get(chunk.Cid).Value;
            byte[] key = Fresh(32);
            var keyLock = new Bytes32(HashLock.Of(seal.LockHash, key).Hash.Span);
            _truth[keyLock] = (key, data);
            chunks.Add(new SealedChunk(new Bytes32(Fresh(32)), keyLock, new byte[12], 0, Xor(data, key), key));
        }
        return new SealedWindow(chunks, Fresh(10));
    }

    private byte[] Fresh(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    // The ideal proof: it holds when what the lock's key opens is what the CID names.
    private string? VerifyWithTruth(ClientEffect.VerifyWindow verify)
    {
        for (int i = 0; i < verify.Offer.Chunks.Count; i++)
        {
            OfferedChunk chunk = verify.Offer.Chunks[i];
            if (!_truth.TryGetValue(chunk.Lock, out (byte[] Key, byte[] Data) truth))
                return "nobody knows a key for the lock";
            if (!chunk.Cid.Matches(Xor(verify.Ciphertexts[i].Span, truth.Key)))
                return "the ciphertext does not hold the chunk";
        }
        return null;
    }

    private static byte[] Xor(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key)
    {
        var result = new byte[text.Length];
        for (int i = 0; i < text.Length; i++)
        {
            byte[] pad = i % 32 == 0 || i == 0 ? SHA256.HashData([.. key, (byte)(i / 32), (byte)(i / 8192)]) : [];
            if (pad.Length > 0)
                pad.AsSpan(0, Math.Min(32, text.Length - i)).CopyTo(result.AsSpan(i));
        }
        for (int i = 0; i < text.Length; i++)
            result[i] ^= text[i];
        return result;
    }
}

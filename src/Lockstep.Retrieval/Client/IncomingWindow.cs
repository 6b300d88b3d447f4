using System.Buffers;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Client;

/// <summary>
/// A window as it comes in, part by part and in order. Memory grows with what has arrived, never with what was declared, and
/// never beyond the lengths of the offer.
/// </summary>
internal sealed class IncomingWindow(SealedOffer offer)
{
    private readonly Parts[] _ciphertexts = [.. offer.Chunks.Select(chunk => new Parts(chunk.Length))];
    private readonly Parts _proof = new(offer.ProofLength);
    private int _position;

    public SealedOffer Offer { get; } = offer;

    public bool IsWhole => _position == Offer.Chunks.Count && _proof.IsWhole;

    public IReadOnlyList<ReadOnlyMemory<byte>> Ciphertexts => [.. _ciphertexts.Select(parts => parts.Bytes)];

    public ReadOnlyMemory<byte> Proof => _proof.Bytes;

    /// <summary>False when the part is not the next one.</summary>
    public bool TakeCiphertext(ProviderMessage.CiphertextPart part)
    {
        if (part.Window != Offer.Window || _position == Offer.Chunks.Count || part.Chunk != Offer.Chunks[_position].Index)
            return false;
        if (!_ciphertexts[_position].Take(part.Offset, part.Data))
            return false;
        if (_ciphertexts[_position].IsWhole)
            _position++;
        return true;
    }

    /// <summary>False when the part is not the next one.</summary>
    public bool TakeProof(ProviderMessage.ProofPart part) =>
        part.Window == Offer.Window && _position == Offer.Chunks.Count && _proof.Take(part.Offset, part.Data);

    // What comes in one part is kept as it came; only what comes in several is copied together.
    private sealed class Parts(int length)
    {
        private ArrayBufferWriter<byte>? _joined;

        public ReadOnlyMemory<byte> Bytes { get; private set; }

        public bool IsWhole => Bytes.Length == length;

        public bool Take(int offset, ReadOnlyMemory<byte> data)
        {
            if (data.IsEmpty || offset != Bytes.Length || data.Length > length - Bytes.Length)
                return false;
            if (data.Length == length)
            {
                Bytes = data;
                return true;
            }

            _joined ??= new ArrayBufferWriter<byte>();
            _joined.Write(data.Span);
            Bytes = _joined.WrittenMemory;
            return true;
        }
    }
}

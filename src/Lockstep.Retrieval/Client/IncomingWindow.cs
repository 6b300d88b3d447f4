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
    private readonly ArrayBufferWriter<byte>[] _ciphertexts = [.. offer.Chunks.Select(_ => new ArrayBufferWriter<byte>())];
    private readonly ArrayBufferWriter<byte> _proof = new();
    private int _position;

    public SealedOffer Offer { get; } = offer;

    public bool IsWhole => _position == Offer.Chunks.Count && _proof.WrittenCount == Offer.ProofLength;

    public IReadOnlyList<ReadOnlyMemory<byte>> Ciphertexts => [.. _ciphertexts.Select(buffer => buffer.WrittenMemory)];

    public ReadOnlyMemory<byte> Proof => _proof.WrittenMemory;

    /// <summary>False when the part is not the next one.</summary>
    public bool TakeCiphertext(ProviderMessage.CiphertextPart part)
    {
        if (part.Window != Offer.Window || _position == Offer.Chunks.Count || part.Chunk != Offer.Chunks[_position].Index)
            return false;
        ArrayBufferWriter<byte> buffer = _ciphertexts[_position];
        int length = Offer.Chunks[_position].Length;
        if (!Append(buffer, part.Offset, part.Data, length))
            return false;
        if (buffer.WrittenCount == length)
            _position++;
        return true;
    }

    /// <summary>False when the part is not the next one.</summary>
    public bool TakeProof(ProviderMessage.ProofPart part) =>
        part.Window == Offer.Window && _position == Offer.Chunks.Count && Append(_proof, part.Offset, part.Data, Offer.ProofLength);

    private static bool Append(ArrayBufferWriter<byte> buffer, int offset, ReadOnlyMemory<byte> data, int limit)
    {
        if (data.IsEmpty || offset != buffer.WrittenCount || data.Length > limit - buffer.WrittenCount)
            return false;
        buffer.Write(data.Span);
        return true;
    }
}

using System.Buffers.Binary;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Prover;

/// <summary>The prover's end of the conversation: what is sent is written to the proof and absorbed by the transcript.</summary>
internal sealed class ProverChannel(Transcript transcript)
{
    // Pieces that stay below the size of large objects, however long the proof.
    private const int PieceSize = 1 << 16;

    private readonly List<byte[]> _pieces = [];
    private int _length;

    /// <summary>The transcript, for challenges.</summary>
    public Transcript Transcript { get; } = transcript;

    /// <summary>The proof so far.</summary>
    public byte[] ToArray()
    {
        var proof = new byte[_length];
        for (int i = 0; i < _pieces.Count; i++)
            _pieces[i].AsSpan(0, Math.Min(PieceSize, _length - i * PieceSize)).CopyTo(proof.AsSpan(i * PieceSize));
        return proof;
    }

    /// <summary>Sends bytes that the transcript binds.</summary>
    public void Send(string label, ReadOnlySpan<byte> bytes)
    {
        Write(bytes);
        Transcript.Absorb(label, bytes);
    }

    /// <summary>Sends field elements that the transcript binds.</summary>
    public void Send(string label, params ReadOnlySpan<Gf128> elements)
    {
        Span<byte> bytes = stackalloc byte[Gf128.Size];
        foreach (Gf128 element in elements)
        {
            element.Write(bytes);
            Write(bytes);
        }

        Transcript.AbsorbElements(label, elements);
    }

    /// <summary>Searches and sends a proof of work of <paramref name="bits"/> leading zero bits.</summary>
    public void SendWork(string label, int bits, Workers workers)
    {
        workers.Cancellation.ThrowIfCancellationRequested();
        ulong nonce = Transcript.Grind(label, bits, workers);
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, nonce);
        Write(bytes);
    }

    /// <summary>Sends bytes that earlier messages bind already: opened leaves and their siblings.</summary>
    public void SendOpening(ReadOnlySpan<byte> bytes) => Write(bytes);

    private void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int at = _length % PieceSize, count = Math.Min(bytes.Length, PieceSize - at);
            if (at == 0)
                _pieces.Add(new byte[PieceSize]);
            bytes[..count].CopyTo(_pieces[^1].AsSpan(at));
            _length += count;
            bytes = bytes[count..];
        }
    }
}

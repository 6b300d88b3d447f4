using System.Buffers;
using System.Buffers.Binary;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Prover;

/// <summary>The prover's end of the conversation: what is sent is written to the proof and absorbed by the transcript.</summary>
internal sealed class ProverChannel(Transcript transcript)
{
    private readonly ArrayBufferWriter<byte> _proof = new();

    /// <summary>The transcript, for challenges.</summary>
    public Transcript Transcript { get; } = transcript;

    /// <summary>The proof so far.</summary>
    public byte[] ToArray() => _proof.WrittenSpan.ToArray();

    /// <summary>Sends bytes that the transcript binds.</summary>
    public void Send(string label, ReadOnlySpan<byte> bytes)
    {
        _proof.Write(bytes);
        Transcript.Absorb(label, bytes);
    }

    /// <summary>Sends field elements that the transcript binds.</summary>
    public void Send(string label, params ReadOnlySpan<Gf128> elements)
    {
        foreach (Gf128 element in elements)
        {
            element.Write(_proof.GetSpan(Gf128.Size));
            _proof.Advance(Gf128.Size);
        }

        Transcript.AbsorbElements(label, elements);
    }

    /// <summary>Searches and sends a proof of work of <paramref name="bits"/> leading zero bits.</summary>
    public void SendWork(string label, int bits, Workers workers)
    {
        workers.Cancellation.ThrowIfCancellationRequested();
        ulong nonce = Transcript.Grind(label, bits, workers);
        BinaryPrimitives.WriteUInt64LittleEndian(_proof.GetSpan(8), nonce);
        _proof.Advance(8);
    }

    /// <summary>Sends bytes that earlier messages bind already: opened leaves and their siblings.</summary>
    public void SendOpening(ReadOnlySpan<byte> bytes) => _proof.Write(bytes);
}

using System.Buffers.Binary;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Verifier;

/// <summary>
/// The verifier's end of the conversation and the only door for a proof's bytes: what is received is absorbed by the
/// transcript. Lengths are fixed by the statement, so a short proof is noticed before anything is read.
/// </summary>
internal ref struct VerifierChannel(ReadOnlySpan<byte> proof, Transcript transcript)
{
    private ReadOnlySpan<byte> _rest = proof;

    /// <summary>The transcript, for challenges.</summary>
    public readonly Transcript Transcript { get; } = transcript;

    /// <summary>Bytes not yet read.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Receives bytes that the transcript binds.</summary>
    public ReadOnlySpan<byte> Receive(string label, int length)
    {
        ReadOnlySpan<byte> bytes = ReceiveOpening(length);
        Transcript.Absorb(label, bytes);
        return bytes;
    }

    /// <summary>Receives field elements that the transcript binds; every 16 bytes are an element.</summary>
    public Gf128[] ReceiveElements(string label, int count)
    {
        var elements = new Gf128[count];
        for (int i = 0; i < count; i++)
            elements[i] = Gf128.Read(ReceiveOpening(Gf128.Size));
        Transcript.AbsorbElements(label, elements);
        return elements;
    }

    /// <summary>Receives a proof of work and says whether it holds.</summary>
    public bool ReceiveWork(string label, int bits) =>
        Transcript.CheckGrind(label, bits, BinaryPrimitives.ReadUInt64LittleEndian(ReceiveOpening(sizeof(ulong))));

    /// <summary>Receives bytes that earlier messages bind already.</summary>
    public ReadOnlySpan<byte> ReceiveOpening(int length)
    {
        ReadOnlySpan<byte> bytes = _rest[..length];
        _rest = _rest[length..];
        return bytes;
    }
}

using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Parameters;
namespace Lockstep.Proofs.Ciphers;

internal static class ChaCha20
{
    public static void Apply(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, uint counter, ReadOnlySpan<byte> input, Span<byte> output)
    {
        var e = new ChaCha7539Engine();
        e.Init(true, new ParametersWithIV(new KeyParameter(key.ToArray()), nonce.ToArray()));
        e.ProcessBytes(input, output);
    }
}

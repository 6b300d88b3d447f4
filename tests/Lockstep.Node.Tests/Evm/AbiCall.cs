using System.Numerics;
using Lockstep.Payments.Evm;

namespace Lockstep.Node.Tests.Evm;

/// <summary>A call of any function, for contracts that only tests use.</summary>
internal sealed class AbiCall
{
    private readonly List<byte> _bytes = [];

    public static byte[] Of(string signature, Action<AbiCall> arguments)
    {
        var call = new AbiCall();
        call._bytes.AddRange(Convert.FromHexString(ContractEvent.Topic(signature).AsSpan(2, 8)));
        arguments(call);
        return [.. call._bytes];
    }

    public AbiCall Number(BigInteger value) => Right(value.ToByteArray(isUnsigned: true, isBigEndian: true));

    public AbiCall Flag(bool value) => Number(value ? 1 : 0);

    public AbiCall Address(EvmAddress value) => Right(value.Bytes.Span);

    public AbiCall Word(ReadOnlySpan<byte> value) => value.Length == 32 ? Right(value) : throw new ArgumentException("A word has 32 bytes.");

    private AbiCall Right(ReadOnlySpan<byte> value)
    {
        _bytes.AddRange(new byte[32 - value.Length]);
        _bytes.AddRange(value);
        return this;
    }
}

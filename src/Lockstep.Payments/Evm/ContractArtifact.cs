using System.Reflection;
using System.Text.Json;

namespace Lockstep.Payments.Evm;

/// <summary>The compiled contract that this version works with, made by <c>contracts/build</c>.</summary>
public sealed class ContractArtifact
{
    private static readonly Lazy<ContractArtifact> Loaded = new(Load);
    private readonly (int Start, int Length)[] immutables;

    private ContractArtifact(byte[] bytecode, byte[] deployedBytecode, (int Start, int Length)[] immutables) =>
        (Bytecode, DeployedBytecode, this.immutables) = (bytecode, deployedBytecode, immutables);

    public static ContractArtifact Current => Loaded.Value;

    /// <summary>What a deployment begins with; the constructor's arguments follow.</summary>
    public ReadOnlyMemory<byte> Bytecode { get; }

    /// <summary>What lies at the contract's address, zeros where values of the deployment are filled in.</summary>
    public ReadOnlyMemory<byte> DeployedBytecode { get; }

    /// <summary>True when code found at an address is this contract, whatever was filled in when it was deployed.</summary>
    public bool IsCode(ReadOnlySpan<byte> code)
    {
        if (code.Length != DeployedBytecode.Length)
            return false;
        byte[] blank = code.ToArray();
        foreach ((int start, int length) in immutables)
            blank.AsSpan(start, length).Clear();
        return blank.AsSpan().SequenceEqual(DeployedBytecode.Span);
    }

    private static ContractArtifact Load()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("LockstepChannels.json")
            ?? throw new InvalidOperationException("The contract is missing from the program.");
        JsonElement root = JsonSerializer.Deserialize<JsonElement>(stream);
        return new ContractArtifact(
            Bytes(root.GetProperty("bytecode")), Bytes(root.GetProperty("deployedBytecode")),
            [.. root.GetProperty("immutables").EnumerateArray().Select(part => (part.GetProperty("start").GetInt32(), part.GetProperty("length").GetInt32()))]);
    }

    private static byte[] Bytes(JsonElement hex) => Convert.FromHexString(hex.GetString().AsSpan(2));
}

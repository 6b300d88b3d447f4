using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Lockstep.Payments;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Node.Hosting;

/// <summary>What a user may set once for a home, in <c>settings.json</c>. Options of a command go before it.</summary>
public sealed record NodeSettings
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The most that <see cref="ProofWindowBytes"/> may be.</summary>
    public const long MaxProofWindowBytes = 64L << 20;

    /// <summary>The most that <see cref="KeepAheadWindows"/> may be.</summary>
    public const int MaxKeepAheadWindows = 65536;

    /// <summary>The least that <see cref="ProverMemoryBytes"/> may be: enough for one chunk of 256 KiB.</summary>
    public const long MinProverMemoryBytes = 256L << 20;

    /// <summary>Where <c>serve</c> listens: HOST:PORT, port 0 for any free one.</summary>
    public string Listen { get; init; } = "127.0.0.1:0";

    /// <summary>The provider's price in atto-units per byte, a decimal string.</summary>
    public string PricePerByteAtto { get; init; } = "2";

    /// <summary>The provider's price for bringing cold content back, in atto-units per deal, a decimal string.</summary>
    public string UnsealPriceAtto { get; init; } = "0";

    /// <summary>Bytes of content that one proof covers at most. The proof's fixed cost is shared, its time and memory grow with it. Never more than a suite has a shape for, about 4 MiB.</summary>
    public long ProofWindowBytes { get; init; } = 4L << 20;

    /// <summary>
    /// Bytes of memory that proving one window may take at most; a window that would take more is split. The default holds a
    /// window of 4 MiB.
    /// </summary>
    public long ProverMemoryBytes { get; init; } = 3L << 30;

    /// <summary>Windows that are proven and sent before the client has paid for them, at least 2 so that proving never waits for a round trip.</summary>
    public int WindowsAhead { get; init; } = 2;

    /// <summary>Deals at work at one time; more wait for their turn or are refused.</summary>
    public int MaxDeals { get; init; } = 64;

    /// <summary>Open locks that a client may ask for.</summary>
    public int MaxOpenLocks { get; init; } = 16;

    /// <summary>A lock that expires within this many epochs of the rail is redeemed without being asked.</summary>
    public long RedeemMarginEpochs { get; init; } = 60;

    /// <summary>Epochs that a lock must have left when its voucher is taken; more than the redeem margin.</summary>
    public long ExpiryMarginEpochs { get; init; } = 90;

    /// <summary>The shortest lock expiry that a deal may name, in epochs; more than the expiry margin.</summary>
    public long MinLockExpiryEpochs { get; init; } = 120;

    /// <summary>Threads of the prover; 0 for all processors.</summary>
    public int ProverThreads { get; init; }

    /// <summary>Windows that are sealed before anybody asks for them, of what sells; 0 for none. Each takes about 1.1 times its content on the disk.</summary>
    public int KeepAheadWindows { get; init; }

    /// <summary>
    /// A program that brings cold content back instead of the built-in archive: run as <c>PROGRAM ARGUMENTS… CID OUT.car</c>, it
    /// writes the content as a CAR. Empty for the built-in archive.
    /// </summary>
    public IReadOnlyList<string> UnsealCommand { get; init; } = [];

    /// <summary>Seconds after which unsealing has failed.</summary>
    public int UnsealLimitSeconds { get; init; } = 3600;

    /// <summary>The ledger that the home's channels are on: <c>local</c> or <c>evm</c>.</summary>
    public string Rail { get; init; } = RailNames.Local;

    /// <summary>Where the EVM rail is; needed when <see cref="Rail"/> says <c>evm</c>.</summary>
    public EvmSettings? Evm { get; init; }

    /// <summary>Reads a settings file; a missing one is the defaults.</summary>
    public static NodeSettings Load(string path)
    {
        try
        {
            if (!File.Exists(path))
                return new NodeSettings();
            NodeSettings settings = JsonSerializer.Deserialize<NodeSettings>(File.ReadAllBytes(path), Format)
                ?? throw new JsonException("the file says null");
            return settings.Validate() is { } sentence
                ? throw new NodeException(NodeFault.BadSetting, $"The settings {path} cannot be used: {sentence}")
                : settings;
        }
        catch (JsonException fault)
        {
            throw new NodeException(NodeFault.BadSetting, $"The settings {path} are not the JSON that was expected: {fault.Message}", fault);
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            throw new NodeException(NodeFault.HomeUnusable, $"The settings {path} could not be read: {fault.Message}", fault);
        }
    }

    /// <summary>Writes into a settings file that the home's channels are in a contract; whatever else it says stays, comments aside.</summary>
    /// <exception cref="NodeException">The file cannot be read or written.</exception>
    public static void SaveEvm(string path, EvmSettings evm)
    {
        try
        {
            JsonObject settings = File.Exists(path)
                ? JsonNode.Parse(File.ReadAllBytes(path), documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }) as JsonObject
                    ?? throw new JsonException("expected an object")
                : [];
            settings["rail"] = RailNames.Evm;
            settings["evm"] = JsonSerializer.SerializeToNode(evm, Format);
            PrivateFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(settings, Format));
        }
        catch (JsonException fault)
        {
            throw new NodeException(NodeFault.BadSetting, $"The settings {path} are not the JSON that was expected: {fault.Message}", fault);
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            throw new NodeException(NodeFault.HomeUnusable, $"The settings {path} could not be written: {fault.Message}", fault);
        }
    }

    /// <summary>One sentence about the first value out of range, or null.</summary>
    public string? Validate()
    {
        if (!TokenText(PricePerByteAtto) || !TokenText(UnsealPriceAtto))
            return "prices are whole numbers of atto-units in decimal, such as \"2\".";
        if (ProofWindowBytes is < 1 or > MaxProofWindowBytes)
            return $"proofWindowBytes is from 1 to {MaxProofWindowBytes}.";
        if (ProverMemoryBytes is < MinProverMemoryBytes or > 1L << 40)
            return $"proverMemoryBytes is from {MinProverMemoryBytes} to {1L << 40}.";
        if (WindowsAhead is < 1 or > 64)
            return "windowsAhead is from 1 to 64.";
        if (MaxDeals is < 1 or > 4096)
            return "maxDeals is from 1 to 4096.";
        if (MaxOpenLocks is < 1 or > 64)
            return "maxOpenLocks is from 1 to 64.";
        if (RedeemMarginEpochs < 1 || ExpiryMarginEpochs <= RedeemMarginEpochs || MinLockExpiryEpochs <= ExpiryMarginEpochs
            || MinLockExpiryEpochs > DealTerms.DefaultLockExpiryEpochs)
        {
            return $"redeemMarginEpochs < expiryMarginEpochs < minLockExpiryEpochs <= {DealTerms.DefaultLockExpiryEpochs}, the first at least 1.";
        }

        if (ProverThreads is < 0 or > 1024)
            return "proverThreads is from 0 (all processors) to 1024.";
        if (KeepAheadWindows is < 0 or > MaxKeepAheadWindows)
            return $"keepAheadWindows is from 0 to {MaxKeepAheadWindows}.";
        if (UnsealLimitSeconds is < 1 or > 30 * 86400)
            return "unsealLimitSeconds is from 1 to 2592000.";
        if (!RailNames.All.Contains(Rail))
            return $"rail is one of {string.Join(", ", RailNames.All)}.";
        return Evm?.Validate();
    }

    private static bool TokenText(string? text) => TokenAmount.TryParseAtto(text, out TokenAmount amount) && !amount.IsNegative;
}

using Lockstep.Content;
using Lockstep.Node.Identity;

namespace Lockstep.Node.Hosting;

/// <summary>What a process does with a home; each is done by one process at a time.</summary>
public enum HomeRole
{
    /// <summary>Selling: <c>serve</c>.</summary>
    Serve,

    /// <summary>Buying: <c>get</c>. Two buyers would sign vouchers on the same lanes.</summary>
    Get,
}

/// <summary>
/// The folder with everything one user of Lockstep owns: keys, wallet, content, stores, settings. Made for its owner alone
/// (mode 0700). The layout is in docs/node.md.
/// </summary>
public sealed class HomeFolder
{
    /// <summary>The environment variable that names the home.</summary>
    public const string HomeVariable = "LOCKSTEP_HOME";

    /// <summary>The environment variable that names the local ledger's file.</summary>
    public const string LedgerVariable = "LOCKSTEP_LEDGER";

    private const string LedgerName = "lockstep-ledger.db";

    private HomeFolder(string path, string ledgerPath) => (Folder, LedgerPath) = (path, ledgerPath);

    /// <summary>The folder, an absolute path.</summary>
    public string Folder { get; }

    /// <summary>The local ledger's file. Outside the home, because buyer and seller on one machine share it.</summary>
    public string LedgerPath { get; }

    public string WalletPath => Path.Combine(Folder, "wallet.json");

    public string SettingsPath => Path.Combine(Folder, "settings.json");

    /// <summary>For files on their way in or out; empty between two runs.</summary>
    public string WorkFolder => Path.Combine(Folder, "work");

    public string ContentFolder => Path.Combine(Folder, "content");

    public string ClientStorePath => Path.Combine(Folder, "client.db");

    public string ProviderStorePath => Path.Combine(Folder, "provider.db");

    private string ProviderKeyPath => Path.Combine(Folder, "provider-key.pem");

    private string ClientKeyPath => Path.Combine(Folder, "client-key.pem");

    /// <summary>Opens a home, and makes it when it is not there.</summary>
    /// <param name="home">The folder; else what <see cref="HomeVariable"/> names, else <c>.lockstep</c> in the user's folder.</param>
    /// <param name="ledger">The ledger's file; else what <see cref="LedgerVariable"/> names, else <c>lockstep-ledger.db</c> beside the home.</param>
    /// <exception cref="NodeException">The folder cannot be made or used.</exception>
    public static HomeFolder Open(string? home = null, string? ledger = null)
    {
        string folder = FirstNonEmpty(home, Environment.GetEnvironmentVariable(HomeVariable))
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".lockstep");
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        try
        {
            PrivateFile.MakeFolder(folder);
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            throw new NodeException(NodeFault.HomeUnusable, $"The home {folder} could not be made: {fault.Message} Name another with --home.", fault);
        }

        // Homes side by side share the ledger: that is how two of them trade on one machine.
        string beside = Path.Combine(Path.GetDirectoryName(folder) ?? folder, LedgerName);
        string ledgerPath = Path.GetFullPath(FirstNonEmpty(ledger, Environment.GetEnvironmentVariable(LedgerVariable)) ?? beside);
        return new HomeFolder(folder, ledgerPath);
    }

    /// <summary>Keeps every other process from doing the same with this home until the result is disposed, or this process ends.</summary>
    /// <exception cref="NodeException"><see cref="NodeFault.HomeInUse"/> when another process does it already.</exception>
    public IDisposable Acquire(HomeRole role)
    {
        string name = role == HomeRole.Serve ? "serve" : "get";
        string path = Path.Combine(Folder, name + ".lock");
        try
        {
            // An advisory lock of the operating system: a killed process leaves none behind.
            return PrivateFile.Open(path, FileMode.OpenOrCreate, FileShare.None);
        }
        catch (IOException fault) when (File.Exists(path))
        {
            throw new NodeException(
                NodeFault.HomeInUse,
                $"Another `{name}` works on the home {Folder}; wait until it ends, or name another home with --home.", fault);
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            throw new NodeException(NodeFault.HomeUnusable, $"The lock {path} could not be taken: {fault.Message}", fault);
        }
    }

    /// <summary>The key that names this provider, made when first asked for.</summary>
    public NodeIdentity LoadProviderIdentity() => NodeIdentity.LoadOrCreate(ProviderKeyPath);

    /// <summary>The TLS key that this client's proposals name, made when first asked for.</summary>
    public NodeIdentity LoadClientIdentity() => NodeIdentity.LoadOrCreate(ClientKeyPath);

    /// <summary>Opens the blocks, roots and cold archives.</summary>
    /// <exception cref="NodeException">They cannot be opened.</exception>
    public ContentHome OpenContent() => ContentHome.Open(ContentFolder).Try(out ContentHome? content, out ContentError? error)
        ? content
        : throw new NodeException(NodeFault.HomeUnusable, error.Message);

    /// <summary>The settings in the home, or the defaults when there is no such file.</summary>
    /// <exception cref="NodeException">The file cannot be read or says something impossible.</exception>
    public NodeSettings LoadSettings() => NodeSettings.Load(SettingsPath);

    private static string? FirstNonEmpty(params ReadOnlySpan<string?> texts)
    {
        foreach (string? text in texts)
        {
            if (!string.IsNullOrEmpty(text))
                return text;
        }

        return null;
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Lockstep.Cli.Commands;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Content.Cids;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Proofs;
using Lockstep.Proofs.Soundness;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Cli.Demo;

/// <summary>The demo's buyer: on which terms it buys, and in which process.</summary>
/// <param name="Home">Its home.</param>
/// <param name="RailName">The rail, as a command line names it.</param>
/// <param name="Rail">The rail, opened in this process.</param>
/// <param name="Key">Its wallet's key.</param>
/// <param name="OpenLocks">Locks that may be open at once.</param>
/// <param name="LockHash">The hash of the locks.</param>
/// <param name="Suite">The proof suite.</param>
internal sealed record DemoBuyer(HomeFolder Home, string RailName, IRail Rail, SecpKey Key, int OpenLocks, LockHash LockHash, Suite Suite)
{
    /// <summary>Buys as a user would: by <c>get</c>, timed from the process's start to its end.</summary>
    /// <returns>What <c>get</c> says, and seconds.</returns>
    public async Task<(JsonElement Bought, double Seconds)> BuyByGetAsync(Cid root, string address, string output, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        await using ChildProcess getting = ChildProcess.Start(
            "get", root.ToString(), "--from", address, "-o", output, "--json", "--home", Home.Folder, "--ledger", Home.LedgerPath, "--rail", RailName,
            "--window", OpenLocks.ToString(CultureInfo.InvariantCulture), "--lock", ProofFolder.Name(LockHash), "--suite", Suite.Id);
        JsonElement bought = await getting.ReadJsonAsync(cancellation).ConfigureAwait(false);
        (int code, string errors) = await getting.WaitAsync(cancellation).ConfigureAwait(false);
        return code == ExitCodes.Ok
            ? (bought, watch.Elapsed.TotalSeconds)
            : throw new CliException(ExitCodes.Refused, "get", $"The client of the demo failed with exit code {code}: {errors}");
    }

    /// <summary>
    /// Buys in this process, something small first: a sale of windows in store is over before a process has compiled its code,
    /// which is what would be timed.
    /// </summary>
    /// <returns>What <c>get</c> would say of both, and its seconds: from opening the home to the file written.</returns>
    public async Task<(JsonElement Small, JsonElement Bought)> BuyHereAsync(Cid small, Cid root, string address, string output, CancellationToken cancellation) => (
        await BuyAsync(small, address, output + "-small", cancellation).ConfigureAwait(false),
        await BuyAsync(root, address, output, cancellation).ConfigureAwait(false));

    private async Task<JsonElement> BuyAsync(Cid root, string address, string output, CancellationToken cancellation)
    {
        var request = new RetrievalRequest(root, Parsing.Provider(address))
        {
            LockHash = (LockHashKind)(byte)LockHash,
            SuiteId = Suite.Id,
            OpenLocks = OpenLocks,
            Output = output,
        };
        var watch = Stopwatch.StartNew();
        await using RetrievalClient client = await RetrievalClient.OpenAsync(new ClientOptions(Home, Rail, Key), cancellation).ConfigureAwait(false);
        RetrievalResult bought = await client.GetAsync(request, null, cancellation).ConfigureAwait(false);
        return Output.ToJson(GetCommand.Describe(request, bought, watch.Elapsed.TotalSeconds));
    }
}

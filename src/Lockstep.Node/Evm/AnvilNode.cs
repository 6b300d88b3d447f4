using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Evm;

/// <summary>
/// A development chain of one's own: Foundry's <c>anvil</c> in a process, on a free port of this machine. Money is made and blocks
/// are mined at will, so it stands for no real chain's timing.
/// </summary>
public sealed class AnvilNode : IAsyncDisposable
{
    /// <summary>The chain's number.</summary>
    public const ulong ChainId = 31337;

    private const string Listening = "Listening on ";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly JsonRpcClient _rpc;
    private readonly Task _drained;

    private AnvilNode(Process process, Uri endpoint, TimeProvider time)
    {
        _process = process;
        Endpoint = endpoint;
        _rpc = new JsonRpcClient(endpoint, null, time);
        // What it prints is of no use, but a full pipe would stop it.
        _drained = Task.WhenAll(process.StandardOutput.BaseStream.CopyToAsync(Stream.Null), process.StandardError.BaseStream.CopyToAsync(Stream.Null));
    }

    /// <summary>Its JSON-RPC address.</summary>
    public Uri Endpoint { get; }

    /// <summary>Starts a chain.</summary>
    /// <param name="program">Where anvil lies.</param>
    /// <param name="arguments">Further arguments, such as <c>--block-time 1</c>; without them each transaction makes a block.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="RailException">It cannot be started.</exception>
    public static async Task<AnvilNode> StartAsync(string program, IReadOnlyList<string> arguments, TimeProvider time, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, ["--port", "0", "--accounts", "0", "--chain-id", ChainId.ToString(CultureInfo.InvariantCulture), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new RailException($"The development chain {program} cannot be started: {fault.Message}", fault);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(StartLimit);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(limit.Token).ConfigureAwait(false) is { } line)
            {
                if (line.StartsWith(Listening, StringComparison.Ordinal))
                    return new AnvilNode(process, new Uri("http://" + line[Listening.Length..].Trim()), time);
            }

            string error = await process.StandardError.ReadToEndAsync(limit.Token).ConfigureAwait(false);
            throw new RailException($"The development chain {program} ended at once: {error.Trim().ReplaceLineEndings(" ")}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Kill(process);
            throw new RailException($"The development chain {program} did not say within {StartLimit.TotalSeconds} s where it listens.");
        }
        catch
        {
            Kill(process);
            throw;
        }
    }

    /// <summary>Gives an account a balance.</summary>
    public Task FundAsync(EvmAddress account, TokenAmount balance, CancellationToken cancellation) =>
        _rpc.CallAsync("anvil_setBalance", [account.ToString(), EvmNode.Quantity(balance.Atto)], cancellation);

    /// <summary>Makes blocks.</summary>
    public Task MineAsync(long blocks, CancellationToken cancellation) => _rpc.CallAsync("anvil_mine", [EvmNode.Quantity(blocks)], cancellation);

    /// <summary>Replaces the newest blocks by empty ones: what they held is gone.</summary>
    public Task ReorganiseAsync(int blocks, CancellationToken cancellation) => _rpc.CallAsync("anvil_reorg", [blocks, new JsonArray()], cancellation);

    /// <summary>Any other call of its own.</summary>
    public Task CallAsync(string method, JsonArray parameters, CancellationToken cancellation) => _rpc.CallAsync(method, parameters, cancellation);

    public async ValueTask DisposeAsync()
    {
        _rpc.Dispose();
        Kill(_process);
        await _drained.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _process.Dispose();
    }

    private static void Kill(Process process)
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
    }
}

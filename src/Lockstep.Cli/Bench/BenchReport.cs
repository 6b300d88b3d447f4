using System.Globalization;
using System.Text.Json;
using Lockstep.Cli.Common;
using Lockstep.Proofs;

namespace Lockstep.Cli.Bench;

/// <summary>docs/benchmarks.md, written from figures.</summary>
internal sealed class BenchReport(BenchPlan plan, BenchFigures figures, BenchMachine machine, bool quick, JsonElement? peer)
{
    private const double MiB = 1 << 20;

    public IEnumerable<string> Lines() =>
        [.. Head(), .. Windows(), .. Chunks(), .. Reading(), .. Paths(), .. Purchases(), .. Hiding(), .. Stages(), .. Growth(), .. Peers()];

    private IEnumerable<string> Head() =>
    [
        "# Benchmarks",
        "",
        quick
            ? "Written by `lockstep bench all --markdown --quick`: **tiny windows, measured once. These figures show that the command works and say nothing about speed.**"
            : "Written by `lockstep bench all --markdown`; run it to have the figures of your own machine.",
        "",
        $"Machine: {machine.Processor}, {machine.Cores} processors, instructions {machine.VectorPath}, {machine.Runtime}, {machine.System}.",
        "",
        $"Content is pseudo-random. Every line is a process of its own and the median of its runs: {plan.ProveRuns} for proofs, {plan.ReadRuns} for verifying and opening, "
            + $"{plan.SlowRuns} on slower instructions, {plan.PurchaseRuns} for purchases. MiB/s are of content. Memory is the most that the process held, content and runtime included. "
            + "All proofs are zero-knowledge; locks are SHA-256.",
    ];

    private IEnumerable<string> Windows() =>
    [
        .. Title($"Sealing and proving by window, chunks of {Sizes.Format(plan.ChunkSize)}"),
        "Proving is all of sealing but the encryption.",
        "",
        .. Table(
            ["suite", "window", "threads", "proving MiB/s", "sealing MiB/s", "proof", "of content", "peak memory"],
            figures.ByWindow.Select(figure => (string[])
            [
                Code(figure.Cell.Suite), Sizes.Format(figure.Cell.Bytes), $"{figure.Cell.Threads}", Speed(figure.MibPerSecond), Speed(figure.SealMibPerSecond ?? 0),
                Bytes(figure.ProofBytes), Percent(figure.ProofBytes / (double)figure.Cell.Bytes), Sizes.Format(figure.PeakRssBytes),
            ])),
    ];

    private IEnumerable<string> Chunks() =>
    [
        .. Title($"By chunk size, windows of {Sizes.Format(plan.ChunkWindow)}, {plan.Threads[^1]} threads"),
        .. Table(
            ["suite", "chunk", "proving MiB/s", "sealing MiB/s", "proof", "of content", "peak memory"],
            figures.ByChunk.Select(figure => (string[])
            [
                Code(figure.Cell.Suite), Sizes.Format(figure.Cell.ChunkSize), Speed(figure.MibPerSecond), Speed(figure.SealMibPerSecond ?? 0),
                Bytes(figure.ProofBytes), Percent(figure.ProofBytes / (double)figure.Cell.Bytes), Sizes.Format(figure.PeakRssBytes),
            ])),
    ];

    private IEnumerable<string> Reading() =>
    [
        .. Title("Verifying and opening"),
        "Verification reads proof and ciphertexts; opening checks the key, decrypts, and checks the block's digest. Both on one thread.",
        "",
        .. Table(
            ["what", "suite", "window", "ms", "MiB/s", "peak memory"],
            figures.Reading.Select(figure => (string[])
                [figure.Cell.What, Code(figure.Cell.Suite), Sizes.Format(figure.Cell.Bytes), Milliseconds(figure.Seconds), Speed(figure.MibPerSecond), Sizes.Format(figure.PeakRssBytes)])),
    ];

    private IEnumerable<string> Paths()
    {
        bool same = figures.Digests.Select(digest => digest.Sha256).Distinct().Count() == 1;
        return
        [
            .. Title("By instructions"),
            "The same program, with instructions switched off by the runtime's own variables. The portable path is measured at the smallest window only.",
            "",
            .. Table(
                ["switched off", "path", "window", "proving MiB/s", "of the fastest"],
                figures.ByPath.Select(figure => (string[])
                [
                    figure.Cell.Path.Switch is { } variable ? Code($"{variable}=0") : "nothing", figure.VectorPath, Sizes.Format(figure.Cell.Bytes), Speed(figure.MibPerSecond),
                    Percent(figure.MibPerSecond / figures.ByPath.First(fast => fast.Cell.Bytes == figure.Cell.Bytes).MibPerSecond),
                ])),
            "",
            same
                ? $"With fixed randomness all of them make the same ciphertexts, statement and proof of {Sizes.Format(plan.DigestBytes)} (`lockstep bench digest`), whose SHA-256 is"
                : "**With fixed randomness they do not make the same proof; this is a fault, please report it.** SHA-256 of ciphertexts, statement and proof:",
            .. figures.Digests.Select(digest => (Text: Code(digest.Sha256), digest.VectorPath)).GroupBy(digest => digest.Text)
                .Select(group => $"{group.Key}{(same ? "." : $" ({string.Join(", ", group.Select(digest => digest.VectorPath))})")}"),
        ];
    }

    private IEnumerable<string> Purchases() =>
    [
        .. Title($"Whole purchases of {Sizes.Format(plan.PurchaseBytes)}"),
        "`lockstep bench get`: a provider in a process of its own, TLS, stores, locks and vouchers, through a proxy that delays every byte, beside proving the same bytes alone "
            + $"({Speed(figures.Purchases.GetProperty("proving").GetProperty("mibPerSecond").GetDouble())} MiB/s in the same minutes). "
            + $"All messages together are {Number(figures.Purchases.GetProperty("wireBytesPerContentByte").GetDouble(), "0.000")} bytes per byte of content.",
        "",
        .. Table(
            ["round trip", "MiB/s", "of proving", "lost"],
            figures.Purchases.GetProperty("links").EnumerateArray().Select(link => (string[])
            [
                $"{Number(link.GetProperty("rttMs").GetDouble(), "0")} ms", Speed(link.GetProperty("mibPerSecond").GetDouble()),
                Percent(link.GetProperty("ofProving").GetDouble()), Percent(link.GetProperty("lost").GetDouble()),
            ])),
    ];

    private IEnumerable<string> Hiding() =>
    [
        .. Title("The price of zero knowledge"),
        "Time: the commitment of the whole witness (encoding, hashing, tree) twice in one process, turn by turn. *On* is the prover's own: random coefficients for every row, the rows g, pi and mu, "
            + "a drawn salt for each leaf. *Off* commits to the rows of bits alone; its salts are zeros, still hashed. Not counted, because they are no part of the commitment: adding the pads to "
            + "scalars, one inner product with g, adding g to the folded row, and the work before two challenges. The last column sets the difference beside the whole proof's time above.",
        "",
        "Bytes: counted from the format. In each opened leaf a salt and the symbols of g, pi and mu; the upper coefficients of the folded row; the pad row; four openings of masks; two nonces. "
            + "The few queries that the random coefficients cost, since they bring the code's words nearer to each other, are not counted. No command makes proofs without.",
        "",
        .. Table(
            ["suite", "window", "commit on, ms", "off, ms", "difference", "of the proof's time", "bytes that hide", "of the proof"],
            figures.Hiding.Select(hiding =>
            {
                BenchFigure whole = figures.ByWindow.Last(figure => figure.Cell.Suite == hiding.Suite && figure.Cell.Bytes == hiding.Bytes);
                double difference = hiding.CommitSeconds - hiding.BareSeconds;
                return (string[])
                [
                    Code(hiding.Suite), Sizes.Format(hiding.Bytes), Milliseconds(hiding.CommitSeconds), Milliseconds(hiding.BareSeconds), $"{Milliseconds(difference)} ms",
                    Percent(difference / whole.Seconds), Bytes(hiding.HidingBytes), Percent(hiding.HidingBytes / (double)whole.ProofBytes),
                ];
            })),
    ];

    private IEnumerable<string> Stages()
    {
        BenchFigure[] last = [.. figures.ByWindow.Where(figure => figure.Cell.Suite == plan.Suites[0] && figure.Cell.Threads == plan.Threads[^1])];
        return
        [
            .. Title($"Where the time goes, {plan.Threads[^1]} threads"),
            $"Milliseconds of each stage of the last run and its part of the whole, suite `{plan.Suites[0]}`. The stages are those of [proof-system.md](proof-system.md) section 6; "
                + "*witness* computes every bit of SHA-256 and ChaCha20, *commit* encodes and hashes, *open* folds the levels and gathers the openings.",
            "",
            .. Table(
                ["stage", .. last.Select(figure => Sizes.Format(figure.Cell.Bytes))],
                WindowSealer.Stages.Select(stage => (string[])
                    [stage, .. last.Select(figure => $"{Milliseconds(figure.Stages[stage])} ({Percent(figure.Stages[stage] / figure.Stages.Values.Sum())})")])),
        ];
    }

    private IEnumerable<string> Growth() =>
    [
        .. Title("How cost grows with the window"),
        "Each against the window before it: twice the content at the same cost per byte would be 2.00 everywhere. Windows that fill no power of two pay for the rows in use only.",
        "",
        .. Table(
            ["suite", "threads", "window", "time", "proof", "memory"],
            figures.ByWindow.GroupBy(figure => (figure.Cell.Suite, figure.Cell.Threads)).SelectMany(group => group.Zip(group.Skip(1), (before, after) => (string[])
            [
                Code(group.Key.Suite), $"{group.Key.Threads}", $"{Sizes.Format(before.Cell.Bytes)} to {Sizes.Format(after.Cell.Bytes)}", Ratio(after.Seconds, before.Seconds),
                Ratio(after.ProofBytes, before.ProofBytes), Ratio(after.PeakRssBytes, before.PeakRssBytes),
            ]))),
    ];

    private IEnumerable<string> Peers()
    {
        BenchFigure best = figures.ByWindow.Last(figure => figure.Cell.Suite == plan.Suites[0] && figure.Cell.Bytes == Math.Min(4 << 20, plan.Windows[^1]));
        return
        [
            .. Title("Peers"),
            "**Published figures**, quoted and turned into bytes of data per second of work. They come from other machines and years, and from other statements: zkPoD binds "
                + "the data to Pedersen commitments, FDE and VECK to KZG commitments, none of them to the SHA-256 that a CID is made of. The order of size is what they are good for.",
            "",
            .. Table(["system", "prove MiB/s", "verify MiB/s", "wire bytes per byte", "machine and source"], BenchPeers.Published),
            "",
            .. peer is { } run ? PeerRun(run, best) :
            [
                "**On the same machine**: not measured in this run. `benchmarks/peer-circom/run > peer.json`, then `lockstep bench all --markdown --peer peer.json`.",
            ],
        ];
    }

    private static IEnumerable<string> PeerRun(JsonElement run, BenchFigure best)
    {
        double Get(string name) => run.GetProperty(name).GetDouble();
        double bytesPerSecond = best.MibPerSecond * MiB;

        // Minutes, and left out of a run that was disturbed.
        string setup = run.TryGetProperty("setupSeconds", out JsonElement seconds) ? $"{Number(seconds.GetDouble(), "0.0")} s, " : "";
        return
        [
            $"**On the same machine**: circom2 and snarkjs, {run.GetProperty("proofSystem").GetString()}, by `benchmarks/peer-circom/run`. Its statement is the nearest that is affordable there: one "
                + $"block of {Get("bytes"):0} bytes, its SHA-256, and MiMC, the cheapest cipher of that field, in the place of ChaCha20 and of the lock's hash. It needs a trusted setup for each circuit; ours needs none.",
            "",
            .. Table(
                ["", "peer", $"Lockstep, {Sizes.Format(best.Cell.Bytes)}"],
                [
                    ["bytes under one proof", Number(Get("bytes"), "0"), Bytes(best.Cell.Bytes)],
                    ["constraints", Number(Get("constraints"), "#,0"), "not counted this way"],
                    ["trusted setup", $"{setup}proving key {Sizes.Format((long)Get("provingKeyBytes"))}", "none"],
                    ["proving, s", Number(Get("proveSeconds"), "0.00"), Number(best.Seconds, "0.00")],
                    ["bytes proven per second", Number(Get("bytesPerSecond"), "#,0"), Number(bytesPerSecond, "#,0")],
                    ["proof bytes per byte of content", Number(Get("proofBytes") / Get("bytes"), "0.00"), Number(best.ProofBytes / (double)best.Cell.Bytes, "0.000")],
                    ["verification, ms", Number(Get("verifySeconds") * 1000, "0.0"), "above"],
                ]),
            "",
            $"Per byte Lockstep proves {Number(bytesPerSecond / Get("bytesPerSecond"), "#,0")} times as fast. The peer's proof has a fixed size, which is its strength: 256 bytes for any statement.",
        ];
    }

    private static IEnumerable<string> Title(string title) => ["", $"## {title}", ""];

    private static IEnumerable<string> Table(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows) =>
        [Row(head), $"|{string.Concat(head.Select(_ => "---|"))}", .. rows.Select(Row)];

    private static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

    private static string Code(string text) => $"`{text}`";

    private static string Speed(double mibPerSecond) => Number(mibPerSecond, mibPerSecond < 1 ? "0.000" : mibPerSecond < 100 ? "0.00" : "0");

    private static string Milliseconds(double seconds) => Number(seconds * 1000, seconds < 0.1 ? "0.0" : "0");

    private static string Percent(double part) => Number(part * 100, "0.0") + " %";

    private static string Bytes(long count) => Number(count, "#,0");

    private static string Ratio(double after, double before) => Number(after / before, "0.00");

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

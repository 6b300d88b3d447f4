namespace Lockstep.Cli.Bench;

/// <summary>Peers' published figures, quoted: from other machines and years, so their order of size matters and not their digits.</summary>
internal static class BenchPeers
{
    /// <summary>System, what its proof shows, proving in MiB/s, verification in MiB/s, bytes on the wire per byte, machine and source.</summary>
    public static IReadOnlyList<string[]> Published { get; } =
    [
        ["zkPoD PoD-AS* (ZK atomic swap)", "0.030", "2.98", "2.17", "i7-8700K, 12 threads; the 1 GiB table of the zkPoD README"],
        ["zkPoD PoD-AS (key checked on chain)", "7.88", "7.82", "2.16", "same; its proof is no SHA-256 of the data: Pedersen commitments"],
        ["zkPoD PoD-CR (complaint on chain)", "8.26", "8.61", "2.16", "same"],
        ["FDE, ElGamal", "0.0014", "0.0037", "11.95", "machine not stated; measurement files of the FDE repository, 128 KiB blob"],
        ["FDE, Paillier", "0.025", "0.0064", "50.2", "same"],
        ["VECK+", "6.7", "about 1 s at any size", "at least 10", "a commodity desktop; arXiv 2506.14944, KZG commitment"],
        ["pay-to-sudoku (5 SHA-256 runs in about 20 s)", "0.000015", "", "", "a laptop, 2016; its README"],
    ];
}

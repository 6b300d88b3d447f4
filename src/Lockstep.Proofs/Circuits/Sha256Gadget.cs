namespace Lockstep.Proofs.Circuits;

/// <summary>
/// The SHA-256 compression function (FIPS 180-4) as a circuit: 728 committed words, 22,696 AND gates. Order of the
/// committed words: the 48 schedule steps ((W[t-16]+s0)+W[t-7])+s1; then for each round (((h+S1)+Ch)+K)+W with Ch before
/// its sum, d+T1, (T1+S0)+Maj with Maj before its sum; then the eight final sums.
/// </summary>
internal static class Sha256Gadget
{
    /// <summary>Committed 32-bit words of one compression.</summary>
    public const int CommittedWords = 728;

    /// <summary>The initial hash value H(0).</summary>
    public static ReadOnlySpan<uint> InitialState =>
    [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ];

    /// <summary>The 64 round constants.</summary>
    public static ReadOnlySpan<uint> RoundConstants =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    /// <summary>The state after one compression.</summary>
    /// <param name="b">Receives the nodes.</param>
    /// <param name="state">Eight words.</param>
    /// <param name="message">Sixteen words, big-endian as SHA-256 reads them.</param>
    /// <param name="name">Prefix of the labels.</param>
    public static Wire[] Compress(CircuitBuilder b, ReadOnlySpan<Wire> state, ReadOnlySpan<Wire> message, string name)
    {
        var schedule = new Wire[64];
        message.CopyTo(schedule);
        for (int t = 16; t < 64; t++)
        {
            Wire w = schedule[t - 15], v = schedule[t - 2];
            Wire sigma0 = b.Xor(b.Xor(b.RotateRight(w, 7), b.RotateRight(w, 18)), b.ShiftRight(w, 3));
            Wire sigma1 = b.Xor(b.Xor(b.RotateRight(v, 17), b.RotateRight(v, 19)), b.ShiftRight(v, 10));
            Wire sum = b.Add(schedule[t - 16], sigma0, $"{name} schedule {t} +s0");
            sum = b.Add(sum, schedule[t - 7], $"{name} schedule {t} +W[t-7]");
            schedule[t] = b.Add(sum, sigma1, $"{name} schedule {t} +s1");
        }

        Wire[] s = state.ToArray();
        for (int t = 0; t < 64; t++)
        {
            string round = $"{name} round {t}";
            Wire bigSigma1 = Sigma(b, s[4], 6, 11, 25);
            Wire t1 = b.Add(s[7], bigSigma1, $"{round} +S1");
            Wire choose = b.Xor(b.And(s[4], b.Xor(s[5], s[6]), $"{round} Ch"), s[6]);
            t1 = b.Add(t1, choose, $"{round} +Ch");
            t1 = b.Add(t1, b.Constant(RoundConstants[t]), $"{round} +K");
            t1 = b.Add(t1, schedule[t], $"{round} +W");
            Wire e = b.Add(s[3], t1, $"{round} d+T1");
            Wire sum = b.Add(t1, Sigma(b, s[0], 2, 13, 22), $"{round} +S0");
            Wire majority = b.Xor(b.And(b.Xor(s[0], s[1]), b.Xor(s[0], s[2]), $"{round} Maj"), s[0]);
            Wire a = b.Add(sum, majority, $"{round} +Maj");
            s = [a, s[0], s[1], s[2], e, s[4], s[5], s[6]];
        }

        for (int i = 0; i < 8; i++)
            s[i] = b.Add(state[i], s[i], $"{name} output {i}");
        return s;
    }

    /// <summary>The initial state as constants.</summary>
    public static Wire[] InitialStateConstants(CircuitBuilder b)
    {
        var state = new Wire[8];
        for (int i = 0; i < 8; i++)
            state[i] = b.Constant(InitialState[i]);
        return state;
    }

    private static Wire Sigma(CircuitBuilder b, Wire x, int i, int j, int k) =>
        b.Xor(b.Xor(b.RotateRight(x, i), b.RotateRight(x, j)), b.RotateRight(x, k));
}

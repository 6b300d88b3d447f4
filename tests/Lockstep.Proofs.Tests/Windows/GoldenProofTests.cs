using System.Security.Cryptography;
using System.Text.Json;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Tests.Windows;

/// <summary>
/// The bytes of whole proofs made with fixed randomness: any change of circuits, encoding, transcript or arithmetic shows
/// here, on every instruction path. The record is made anew, after a deliberate change of format, by
/// <code>LOCKSTEP_GOLDEN_OUT=$PWD/tests/vectors/proofs dotnet run --project tests/Lockstep.Proofs.Tests -c Release -- -class "*GoldenProofTests"</code>
/// and then gets a new version in its name.
/// </summary>
public sealed class GoldenProofTests
{
    private const string Record = "golden.v2.json", WholeProof = "one-byte-u120-sha256.v2.proof", WholeStatement = "one-byte-u120-sha256.v2.statement",
        WholeCiphertext = "one-byte-u120-sha256.v2.ciphertext";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
    private static readonly Lock Gate = new();

    private static readonly int[][] Shapes = [[1], [200, 1, 55, 56, 63, 64, 65], [49_152, 49_152]];

    private static string? OutputFolder => Environment.GetEnvironmentVariable("LOCKSTEP_GOLDEN_OUT");

    private sealed record Golden(string Name, int[] Lengths, int StatementBytes, string StatementSha256, string CiphertextsSha256, int ProofBytes, string ProofSha256);

    public static TheoryData<string, LockHash, int> Cases()
    {
        var cases = new TheoryData<string, LockHash, int>();
        foreach (Suite suite in Suites.All)
            foreach (LockHash lockHash in new[] { LockHash.Sha256, LockHash.Blake2b256 })
                for (int shape = 0; shape < Shapes.Length; shape++)
                    cases.Add(suite.Id, lockHash, shape);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_proof_with_fixed_randomness_has_the_recorded_bytes(string suiteId, LockHash lockHash, int shape)
    {
        string name = $"{suiteId} {lockHash} shape {shape}";
        DeterministicWindow window = DeterministicWindow.Seal(Suites.Find(suiteId)!, lockHash, "golden", Shapes[shape]);
        Assert.Null(window.Verify());
        byte[] statement = window.Statement.Encode();
        var found = new Golden(name, Shapes[shape], statement.Length, Hash(statement), Hash([.. window.Ciphertexts.SelectMany(c => c.ToArray())]),
            window.Proof.Length, Hash(window.Proof));
        if (OutputFolder is { } folder)
        {
            Write(folder, found);
            Assert.Skip($"recorded in {folder}");
        }

        Golden expected = Assert.Single(Read(Vectors(Record)), golden => golden.Name == name);
        Assert.Equal(JsonSerializer.Serialize(expected, Json), JsonSerializer.Serialize(found, Json));
    }

    [Fact]
    public void A_recorded_proof_is_made_again_byte_for_byte_and_verifies()
    {
        DeterministicWindow window = DeterministicWindow.Seal(Suites.Default, LockHash.Sha256, "golden", 1);
        if (OutputFolder is { } folder)
        {
            File.WriteAllBytes(Path.Combine(folder, WholeProof), window.Proof);
            File.WriteAllBytes(Path.Combine(folder, WholeStatement), window.Statement.Encode());
            File.WriteAllBytes(Path.Combine(folder, WholeCiphertext), window.Ciphertexts[0].ToArray());
            Assert.Skip($"recorded in {folder}");
        }

        byte[] proof = File.ReadAllBytes(Vectors(WholeProof)), ciphertext = File.ReadAllBytes(Vectors(WholeCiphertext));
        Assert.True(WindowStatement.TryDecode(File.ReadAllBytes(Vectors(WholeStatement)), out WindowStatement? statement, out StatementFault? fault), fault?.Message);
        Assert.Null(WindowVerifier.Verify(statement, [ciphertext], proof, VerifierPolicy.Default));
        Assert.True(proof.AsSpan().SequenceEqual(window.Proof), "the proof made with the recorded randomness differs from the recorded one");
    }

    [Fact]
    public void A_proof_does_not_depend_on_the_number_of_threads()
    {
        int[] lengths = [3000, 64, 10_000];
        byte[] one = DeterministicWindow.Seal(Suites.Default, LockHash.Sha256, "threads", new Workers(1), lengths).Proof;
        byte[] five = DeterministicWindow.Seal(Suites.Default, LockHash.Sha256, "threads", new Workers(5), lengths).Proof;
        Assert.True(one.AsSpan().SequenceEqual(five));
    }

    private static string Vectors(string file) => Path.Combine(AppContext.BaseDirectory, "vectors", "proofs", file);

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static List<Golden> Read(string path) => JsonSerializer.Deserialize<List<Golden>>(File.ReadAllText(path), Json)!;

    private static void Write(string folder, Golden golden)
    {
        lock (Gate)
        {
            string path = Path.Combine(folder, Record);
            List<Golden> all = File.Exists(path) ? Read(path) : [];
            all.RemoveAll(other => other.Name == golden.Name);
            all.Add(golden);
            all.Sort((x, y) => string.CompareOrdinal(x.Name, y.Name));
            File.WriteAllText(path, JsonSerializer.Serialize(all, Json) + "\n");
        }
    }
}

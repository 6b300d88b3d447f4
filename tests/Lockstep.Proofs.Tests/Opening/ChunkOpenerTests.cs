using System.Security.Cryptography;
using Lockstep.Proofs.Tests.Layout;

namespace Lockstep.Proofs.Tests.Opening;

public sealed class ChunkOpenerTests
{
    public static TheoryData<LockHash> Locks => [LockHash.Sha256, LockHash.Blake2b256];

    [Theory]
    [MemberData(nameof(Locks))]
    public void Opens_what_was_sealed(LockHash lockHash)
    {
        using TestWindow window = TestWindow.Create(lockHash, 1, 63, 64, 1000, 5000);
        for (int i = 0; i < window.Data.Length; i++)
        {
            var plaintext = new byte[window.Data[i].Length];
            OpenResult result = ChunkOpener.Open(window.Statement.Chunks[i], lockHash, window.Keys[i].Span, window.Ciphertexts[i].Span, plaintext);
            Assert.True(result.IsOpened, result.Message);
            Assert.Equal(window.Data[i].ToArray(), plaintext);
        }
    }

    [Theory]
    [MemberData(nameof(Locks))]
    public async Task Opens_from_stream_to_stream(LockHash lockHash)
    {
        using TestWindow window = TestWindow.Create(lockHash, 1, 64, 5000);
        using var ciphertext = new MemoryStream([.. window.Ciphertexts.SelectMany(bytes => bytes.ToArray())]);
        using var destination = new MemoryStream();
        for (int i = 0; i < window.Data.Length; i++)
            Assert.True((await ChunkOpener.OpenAsync(window.Statement.Chunks[i], lockHash, window.Keys[i], ciphertext, destination, TestContext.Current.CancellationToken)).IsOpened);
        Assert.Equal([.. window.Data.SelectMany(bytes => bytes.ToArray())], destination.ToArray());
    }

    [Fact]
    public async Task A_stream_receives_nothing_of_a_refused_chunk()
    {
        CancellationToken none = TestContext.Current.CancellationToken;
        using TestWindow window = TestWindow.Create(LockHash.Sha256, 5000);
        ChunkStatement chunk = window.Statement.Chunks[0];
        byte[] ciphertext = window.Ciphertexts[0].ToArray();
        using var destination = new MemoryStream();
        Assert.Equal(OpenStatus.WrongCiphertextLength, (await Open(chunk, ciphertext[1..])).Status);
        Assert.Equal(OpenStatus.InvalidStatement, (await Open(chunk with { Length = int.MaxValue }, ciphertext)).Status);
        ciphertext[4999] ^= 1;
        Assert.Equal(OpenStatus.WrongDigest, (await Open(chunk, ciphertext)).Status);
        Assert.Equal(0, destination.Length);

        Task<OpenResult> Open(ChunkStatement statement, byte[] bytes) =>
            ChunkOpener.OpenAsync(statement, LockHash.Sha256, window.Keys[0], new MemoryStream(bytes), destination, none);
    }

    [Fact]
    public void Blake2b_lock_known_answer()
    {
        var hash = new byte[32];
        ChunkOpener.HashKey(LockHash.Blake2b256, [.. Enumerable.Range(0, 32).Select(i => (byte)i)], hash);
        Assert.Equal("cb2f5160fc1f7e05a55ef49d340b48da2e5a78099d53393351cd579dd42503d6", Convert.ToHexStringLower(hash));
    }

    [Theory]
    [MemberData(nameof(Locks))]
    public void Every_wrong_input_has_its_reason_and_leaves_no_plaintext(LockHash lockHash)
    {
        using TestWindow window = TestWindow.Create(lockHash, 200);
        ChunkStatement chunk = window.Statement.Chunks[0];
        byte[] key = window.Keys[0].ToArray(), ciphertext = window.Ciphertexts[0].ToArray();

        Check(OpenStatus.Opened, chunk, lockHash, key, ciphertext, 200);
        Check(OpenStatus.WrongKeyLength, chunk, lockHash, key[1..], ciphertext, 200);
        Check(OpenStatus.WrongKeyLength, chunk, lockHash, [], ciphertext, 200);
        Check(OpenStatus.WrongCiphertextLength, chunk, lockHash, key, ciphertext[1..], 200);
        Check(OpenStatus.WrongDestination, chunk, lockHash, key, ciphertext, 199);
        Check(OpenStatus.KeyIsNotThePreimage, chunk, lockHash, Flip(key, 77), ciphertext, 200);
        Check(OpenStatus.KeyIsNotThePreimage, chunk, lockHash == LockHash.Sha256 ? LockHash.Blake2b256 : LockHash.Sha256, key, ciphertext, 200);
        Check(OpenStatus.WrongDigest, chunk, lockHash, key, Flip(ciphertext, 0), 200);
        Check(OpenStatus.WrongDigest, chunk, lockHash, key, Flip(ciphertext, 8 * 200 - 1), 200);
        Check(OpenStatus.WrongDigest, chunk with { FirstCounter = chunk.FirstCounter + 1 }, lockHash, key, ciphertext, 200);
        Check(OpenStatus.WrongDigest, chunk with { Nonce = Flip(chunk.Nonce.ToArray(), 5) }, lockHash, key, ciphertext, 200);
        Check(OpenStatus.WrongDigest, chunk with { Digest = Flip(chunk.Digest.ToArray(), 5) }, lockHash, key, ciphertext, 200);
        Check(OpenStatus.InvalidStatement, chunk with { FirstCounter = uint.MaxValue }, lockHash, key, ciphertext, 200);
        Check(OpenStatus.InvalidStatement, chunk with { Lock = new byte[31] }, lockHash, key, ciphertext, 200);
        Check(OpenStatus.InvalidStatement, chunk, (LockHash)9, key, ciphertext, 200);

        // Decrypting in place could destroy a ciphertext that is paid for: refused, and the bytes stay.
        byte[] before = (byte[])ciphertext.Clone();
        Assert.Equal(OpenStatus.WrongDestination, ChunkOpener.Open(chunk, lockHash, Flip(key, 1), ciphertext, ciphertext).Status);
        Assert.Equal(before, ciphertext);

        static void Check(OpenStatus expected, ChunkStatement chunk, LockHash lockHash, byte[] key, byte[] ciphertext, int size)
        {
            var plaintext = new byte[size];
            Array.Fill(plaintext, (byte)0xaa);
            OpenResult result = ChunkOpener.Open(chunk, lockHash, key, ciphertext, plaintext);
            Assert.Equal(expected, result.Status);
            Assert.Equal(expected == OpenStatus.Opened, result.IsOpened);
            Assert.NotEmpty(result.Message);
            if (expected != OpenStatus.Opened)
                Assert.All(plaintext, b => Assert.Equal(0, b));
        }

        static byte[] Flip(byte[] bytes, int bit)
        {
            var flipped = (byte[])bytes.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            return flipped;
        }
    }
}

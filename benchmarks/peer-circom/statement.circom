pragma circom 2.1.6;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/mimc.circom";
include "circomlib/circuits/sha256/sha256.circom";

// The prover knows a block of 55 bytes, the most that one SHA-256 compression takes, and a key, such that
//   digest     = SHA-256(block)
//   lock       = MiMC7-91 of the key
//   ciphertext = block as two field elements of 220 bits, each plus MiMC7-91 of a counter under the key.
// MiMC stands in for ChaCha20 and for the lock's hash: it is the cheapest cipher that this field offers, and with it the circuit
// fits 2^15 constraints. Both favour the peer.
template Sale() {
    signal input block[440];
    signal input key;
    signal output digest[256];
    signal output lock;
    signal output ciphertext[2];

    component blockHash = Sha256(440);
    blockHash.in <== block;
    digest <== blockHash.out;

    // SHA-256 of circomlib asks its caller for bits that are bits.
    for (var i = 0; i < 440; i++) block[i] * (block[i] - 1) === 0;

    component lockHash = MiMC7(91);
    lockHash.x_in <== key;
    lockHash.k <== 0;
    lock <== lockHash.out;

    component words[2];
    component stream[2];
    for (var w = 0; w < 2; w++) {
        words[w] = Bits2Num(220);
        for (var i = 0; i < 220; i++) words[w].in[i] <== block[220 * w + i];
        stream[w] = MiMC7(91);
        stream[w].x_in <== w;
        stream[w].k <== key;
        ciphertext[w] <== words[w].out + stream[w].out;
    }
}

component main = Sale();

// Compiles, sets up, proves and verifies statement.circom, and prints one JSON value. Progress goes to standard error.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import * as snarkjs from "snarkjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const build = here + "build/";
const runs = Number(process.argv[2] ?? 5);
const bytes = 55;

if (!Number.isInteger(runs) || runs < 1 || runs > 100) {
    console.error("error: the number of runs is a whole number from 1 to 100.");
    process.exit(2);
}

const note = (text) => console.error(text);
const bitsOf = (buffer) => [...buffer].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1));
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
async function timed(work) {
    const from = performance.now();
    const value = await work();
    return { value, seconds: (performance.now() - from) / 1000 };
}

rmSync(build, { recursive: true, force: true });
mkdirSync(build);
note("compiling");
const circom = createRequire(import.meta.url).resolve("circom2/cli.js");
execFileSync(process.execPath, [circom, "statement.circom", "--r1cs", "--wasm", "--O2", "-l", "node_modules", "-o", "build"], { cwd: here, stdio: ["ignore", 2, 2] });
const info = await snarkjs.r1cs.info(build + "statement.r1cs");

// A throw-away setup: one contribution, whose randomness nobody keeps. Good for a measurement and for nothing else.
const power = Math.ceil(Math.log2(info.nConstraints + info.nOutputs + info.nPubInputs + 1));
note(`setup for 2^${power} constraints`);
const setup = await timed(async () => {
    const curve = await snarkjs.curves.getCurveFromName("bn128");
    await snarkjs.powersOfTau.newAccumulator(curve, power, build + "tau0");
    await snarkjs.powersOfTau.contribute(build + "tau0", build + "tau1", "bench", randomBytes(32).toString("hex"));
    await snarkjs.powersOfTau.preparePhase2(build + "tau1", build + "tau");
    await snarkjs.zKey.newZKey(build + "statement.r1cs", build + "tau", build + "key0");
    await snarkjs.zKey.contribute(build + "key0", build + "key", "bench", randomBytes(32).toString("hex"));
    return snarkjs.zKey.exportVerificationKey(build + "key");
});

const block = randomBytes(bytes), key = randomBytes(31);
const input = { block: bitsOf(block), key: BigInt("0x" + key.toString("hex")).toString() };
const expected = bitsOf(createHash("sha256").update(block).digest()).map(String);
const proving = [], verifying = [];
let proofBytes = 0;
for (let run = 0; run < runs; run++) {
    const made = await timed(() => snarkjs.groth16.fullProve(input, build + "statement_js/statement.wasm", build + "key"));
    const checked = await timed(() => snarkjs.groth16.verify(setup.value, made.value.publicSignals, made.value.proof));
    if (!checked.value || expected.some((bit, i) => made.value.publicSignals[i] !== bit))
        throw new Error("the peer's proof or its digest is wrong");
    proving.push(made.seconds);
    verifying.push(checked.seconds);
    proofBytes = 256; // Groth16 over BN254: two points of G1 and one of G2, not compressed.
    note(`proof ${run + 1} of ${runs}: ${made.seconds.toFixed(2)} s`);
}

const packages = JSON.parse(readFileSync(here + "package.json", "utf8")).dependencies;
console.log(JSON.stringify({
    what: "peer-circom",
    proofSystem: "Groth16 over BN254",
    packages,
    node: process.version,
    processor: cpus()[0].model,
    threads: cpus().length,
    bytes,
    constraints: info.nConstraints,
    setupSeconds: setup.seconds,
    provingKeyBytes: statSync(build + "key").size,
    proveSeconds: median(proving),
    verifySeconds: median(verifying),
    runs: proving,
    proofBytes,
    bytesPerSecond: bytes / median(proving),
}));
process.exit(0);

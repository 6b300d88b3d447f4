// Compiles with the pinned solc.
//
//   (nothing)        contracts/LockstepChannels.sol: prints the artifact that is checked in beside it
//   bytecode NAME    tests/contracts/NAME.sol: prints the code that deploys it
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const name = "LockstepChannels";
const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "contracts");

// No metadata in the code, so that the bytes depend on nothing but the source, the compiler and these settings. Paris is the newest
// set of instructions that every chain in question has.
const settings = {
  optimizer: { enabled: true, runs: 10000 },
  viaIR: true,
  evmVersion: "paris",
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"] } },
};

function compile(sources, wanted) {
  const input = { language: "Solidity", settings, sources: Object.fromEntries(Object.entries(sources).map(([file, content]) => [file, { content }])) };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const problems = (output.errors ?? []).filter((problem) => problem.severity !== "info");
  if (problems.length > 0) {
    throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  }
  for (const file of Object.values(output.contracts)) {
    if (file[wanted]) {
      return file[wanted];
    }
  }
  throw new Error(`no contract ${wanted}`);
}

function artifact() {
  const contract = compile({ [`${name}.sol`]: readFileSync(join(folder, `${name}.sol`), "utf8") }, name);
  return {
    contract: name,
    compiler: solc.version(),
    evmVersion: settings.evmVersion,
    optimizerRuns: settings.optimizer.runs,
    bytecode: `0x${contract.evm.bytecode.object}`,
    deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
    immutables: Object.values(contract.evm.deployedBytecode.immutableReferences).flat().sort((a, b) => a.start - b.start),
    abi: contract.abi,
  };
}

const [command, wanted] = process.argv.slice(2);
if (command === "bytecode") {
  const file = join(folder, "..", "tests", "contracts", `${wanted}.sol`);
  const { evm } = compile({ [`${wanted}.sol`]: readFileSync(file, "utf8") }, wanted);
  process.stdout.write(JSON.stringify({ bytecode: evm.bytecode.object }));
} else {
  process.stdout.write(`${JSON.stringify(artifact(), null, 2)}\n`);
}

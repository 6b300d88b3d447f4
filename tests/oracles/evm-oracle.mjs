// The EVM rail's encodings as viem sees them.
//
//   check CASES.json   encodes, signs and hashes the cases; prints what it found as one JSON document
import { readFileSync } from 'node:fs'
import { encodeFunctionData, getAddress, getContractAddress, hashMessage, hashTypedData, keccak256, toBytes } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

const { abi } = JSON.parse(readFileSync(new URL('../../contracts/LockstepChannels.json', import.meta.url)))

const types = {
  Voucher: [
    { name: 'channel', type: 'uint256' },
    { name: 'lane', type: 'uint64' },
    { name: 'nonce', type: 'uint64' },
    { name: 'amount', type: 'uint256' },
    { name: 'lock', type: 'bytes32' },
    { name: 'expiry', type: 'uint64' }
  ],
  Close: [
    { name: 'channel', type: 'uint256' },
    { name: 'toPayee', type: 'uint256' },
    { name: 'deadline', type: 'uint64' }
  ]
}

// Numbers come as decimal text; what is nested comes as objects and lists.
function revive (value, key) {
  if (Array.isArray(value)) return value.map(item => revive(item, key))
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revive(item, name)]))
  return typeof value === 'string' && /^[0-9]+$/.test(value) ? BigInt(value) : value
}

const domain = ({ chainId, contract }) => ({ name: 'Lockstep', version: '1', chainId: BigInt(chainId), verifyingContract: contract })

async function typed ({ privateKey, chainId, contract, primaryType, message }) {
  const data = { domain: domain({ chainId, contract }), types, primaryType, message: revive(message) }
  return { digest: hashTypedData(data), signature: await privateKeyToAccount(privateKey).signTypedData(data) }
}

async function transaction ({ privateKey, fields }) {
  const { chainId, nonce, ...rest } = fields
  const raw = await privateKeyToAccount(privateKey).signTransaction({ type: 'eip1559', ...revive(rest), chainId: Number(chainId), nonce: Number(nonce) })
  return { raw, hash: keccak256(raw) }
}

const call = ({ name, args }) => ({ data: encodeFunctionData({ abi, functionName: name, args: revive(args) }) })

const key = ({ privateKey, nonce }) => {
  const { address } = privateKeyToAccount(privateKey)
  return { address, contract: getContractAddress({ from: address, nonce: BigInt(nonce) }) }
}

async function statement ({ privateKey, text }) {
  const message = { raw: toBytes(text) }
  return { digest: hashMessage(message), signature: await privateKeyToAccount(privateKey).signMessage({ message }) }
}

const [command, path] = process.argv.slice(2)
if (command !== 'check') throw new Error(`unknown command ${command}`)
const cases = JSON.parse(readFileSync(path))
const all = (list, answer) => Promise.all(list.map(answer))
process.stdout.write(JSON.stringify({
  keys: cases.keys.map(key),
  addresses: cases.addresses.map(text => getAddress(text)),
  typed: await all(cases.typed, typed),
  transactions: await all(cases.transactions, transaction),
  calls: cases.calls.map(call),
  statements: await all(cases.statements, statement)
}))

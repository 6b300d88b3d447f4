// Payments as the reference packages see them.
//
//   check CASES.json   signs, verifies and decodes the cases; prints what it found as one JSON document
//
// Zondax's default entry runs the Rust crate of the payment-channel actor (v11) as WASM. Its serializeVoucher writes a map and
// is not used; its JSON loses integers above 2^53, so decoded fields are compared only where the case says `small`.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import * as isoAddress from 'iso-filecoin/address'
import { Message } from 'iso-filecoin/message'
import * as isoWallet from 'iso-filecoin/wallet'

const zondax = createRequire(import.meta.url)('@zondax/filecoin-signing-tools')

const hex = bytes => Buffer.from(bytes).toString('hex')
const toBase64 = text => Buffer.from(text, 'hex').toString('base64')

function key ({ privateKey }) {
  const recovered = zondax.keyRecover(toBase64(privateKey), false)
  const account = isoWallet.accountFromPrivateKey(Buffer.from(privateKey, 'hex'), 'SECP256K1', 'mainnet')
  return {
    zondax: { address: recovered.address, publicKey: recovered.public_hexstring },
    iso: { address: account.address.toString(), publicKey: hex(account.publicKey) }
  }
}

// It throws where it could say false.
function verifies (text, signer) {
  try {
    return zondax.verifyVoucherSignature(text, signer)
  } catch (error) {
    if (!String(error).includes("doesn't match")) throw error
    return false
  }
}

function voucher ({ privateKey, signer, stranger, unsigned, signed, small }) {
  const text = Buffer.from(signed, 'hex').toString('base64')
  const theirs = zondax.signVoucher(toBase64(unsigned), toBase64(privateKey))
  const isoSignature = isoWallet.sign(Buffer.from(privateKey, 'hex'), 'SECP256K1', Buffer.from(unsigned, 'hex'))
  return {
    signed: hex(Buffer.from(theirs, 'base64')),
    isoSignature: hex(isoSignature.data),
    verifies: verifies(text, signer),
    verifiesForStranger: verifies(text, stranger),
    fields: small ? zondax.deserializeVoucher(text) : null
  }
}

function message ({ privateKey, lotus }) {
  const serialized = zondax.transactionSerialize(lotus)
  const iso = Message.fromLotus(lotus)
  const signature = isoWallet.signMessage(Buffer.from(privateKey, 'hex'), 'SECP256K1', iso)
  return {
    zondax: serialized,
    zondaxSignature: Buffer.from(zondax.transactionSignLotus(lotus, toBase64(privateKey)).Signature.Data, 'base64').toString('hex'),
    zondaxParsed: zondax.transactionParse(serialized, false),
    iso: hex(iso.serialize()),
    isoCid: hex(iso.cidBytes()),
    isoSignature: hex(signature.data)
  }
}

function address ({ text }) {
  const parsed = isoAddress.fromString(text)
  return { bytes: hex(parsed.toBytes()), text: isoAddress.fromBytes(parsed.toBytes(), 'mainnet').toString() }
}

const [command, path] = process.argv.slice(2)
if (command !== 'check') throw new Error(`unknown command ${command}`)
const cases = JSON.parse(readFileSync(path, 'utf8'))
process.stdout.write(JSON.stringify({
  keys: cases.keys.map(key),
  vouchers: cases.vouchers.map(voucher),
  messages: cases.messages.map(message),
  addresses: cases.addresses.map(address)
}))

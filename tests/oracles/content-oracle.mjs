// Content as the reference packages see it. Each command prints one JSON document, or writes the files that it names.
//
//   roots CASES.json          root CIDs of the cases, by ipfs-unixfs-importer
//   table CASES.json          the cases with their roots: the committed table
//   read-car FILE             roots and blocks of a CAR, by @ipld/car, hashes checked
//   write-cars DIR            CARs by @ipld/car, with a description of each
//   export-car FILE OUT       the file or folder in a CAR, by ipfs-unixfs-exporter
//   cids                      CIDs in every text form that we read, by multiformats
import { createReadStream, createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { CarReader, CarWriter } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { exporter } from 'ipfs-unixfs-exporter'
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import { MemoryBlockstore } from 'blockstore-core'
import { BlackHoleBlockstore } from 'blockstore-core/black-hole'
import { base16 } from 'multiformats/bases/base16'
import { base32 } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { base64url } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256, sha512 } from 'multiformats/hashes/sha2'

// The test content: xorshift32, four bytes little-endian per step. The C# tests make the same bytes.
function content (size, seed) {
  const bytes = new Uint8Array(size)
  let x = (seed * 2654435761 + 1) >>> 0 || 1
  for (let i = 0; i < size; i += 4) {
    x ^= x << 13; x >>>= 0
    x ^= x >>> 17
    x ^= x << 5; x >>>= 0
    for (let j = 0; j < 4 && i + j < size; j++) bytes[i + j] = (x >>> (8 * j)) & 0xff
  }
  return bytes
}

// A case is a file, or a folder given by its entries; "count" repeats an entry, with # in its path for the number.
function * entries (test) {
  for (const entry of test.folder) {
    for (let n = 0; n < (entry.count ?? 1); n++) {
      const path = 'root/' + entry.path.replaceAll('#', String(n).padStart(5, '0'))
      yield entry.size == null ? { path } : { path, content: content(entry.size, (entry.seed ?? 0) + n) }
    }
  }
}

async function root (test) {
  const options = {
    cidVersion: 1,
    rawLeaves: true,
    reduceSingleLeafToSelf: true,
    wrapWithDirectory: false,
    shardSplitThresholdBytes: 262144,
    chunker: fixedSize({ chunkSize: test.chunkSize }),
    layout: balanced({ maxChildrenPerNode: test.maxLinks ?? 174 })
  }
  const source = test.folder == null ? [{ path: 'file', content: content(test.size, test.seed) }] : entries(test)
  let last
  for await (const entry of importer(source, new BlackHoleBlockstore(), options)) {
    last = entry
  }
  const expected = test.folder == null ? 'file' : 'root'
  if (test.folder?.length === 0) {
    for await (const entry of importer([{ path: 'root' }], new BlackHoleBlockstore(), options)) last = entry
  }
  if (last.path !== expected) throw new Error(`${test.id}: the last entry is ${last.path}`)
  return last.cid.toString()
}

async function roots (file) {
  const table = JSON.parse(readFileSync(file, 'utf8'))
  const found = {}
  for (const test of table.cases) found[test.id] = await root(test)
  return { table, found }
}

async function writeCar (file, rootCids, blocks) {
  const { writer, out } = await CarWriter.create(rootCids)
  const sink = createWriteStream(file)
  Readable.from(out).pipe(sink)
  for (const block of blocks) await writer.put(block)
  await writer.close()
  await finished(sink)
}

async function block (codec, value) {
  const bytes = codec.encode(value)
  return { bytes, cid: CID.createV1(codec.code, await sha256.digest(bytes)) }
}

const commands = {
  async roots (file) {
    return (await roots(file)).found
  },

  async table (file) {
    const { table, found } = await roots(file)
    for (const test of table.cases) test.root = found[test.id]
    return table
  },

  async 'read-car' (file) {
    const reader = await CarReader.fromIterable(createReadStream(file))
    const blocks = []
    for await (const { cid, bytes } of reader.blocks()) {
      const digest = await sha256.digest(bytes)
      if (!CID.create(cid.version, cid.code, digest).equals(cid)) throw new Error(`block ${cid} has other bytes`)
      blocks.push({ cid: cid.toString(), length: bytes.length })
    }
    return { roots: (await reader.getRoots()).map(String), blocks }
  },

  async 'write-cars' (folder) {
    mkdirSync(folder, { recursive: true })
    const described = {}
    const describe = async (name, rootCids, blocks) => {
      await writeCar(join(folder, name), rootCids, blocks)
      described[name] = { roots: rootCids.map(String), blocks: blocks.map(b => ({ cid: b.cid.toString(), length: b.bytes.length })) }
    }

    // Leaves from 1 byte to 1 MiB under one dag-cbor root, with a leaf of dag-cbor without links and one leaf linked to twice.
    const sizes = [1, 2, 63, 64, 65, 1000, 4096, 65535, 65536, 100001, 262144, 262145, 524288, 1000003, 1048575, 1048576]
    const leaves = await Promise.all(sizes.map((size, i) => block(raw, content(size, 1000 + i))))
    const note = await block(dagCbor, { note: 'a leaf without links', n: 7 })
    const mixed = await block(dagCbor, { list: [...leaves.map(l => l.cid), leaves[3].cid], meta: { note: note.cid } })
    await describe('mixed-leaves.car', [mixed.cid], [mixed, ...leaves, note])

    // A UnixFS file and a folder as the importer makes them, dag-pb names of version 0 included.
    for (const [name, version] of [['folder-v1.car', 1], ['folder-v0.car', 0]]) {
      const store = new MemoryBlockstore()
      const source = [
        { path: 'root/a.bin', content: content(10000, 1) },
        { path: 'root/sub/empty', content: new Uint8Array(0) },
        { path: 'root/sub/ünï.txt', content: content(70, 2) }
      ]
      let last
      for await (const entry of importer(source, store, { cidVersion: version, rawLeaves: version === 1, chunker: fixedSize({ chunkSize: 1024 }) })) last = entry
      const blocks = []
      const add = async cid => {
        if (blocks.some(b => b.cid.equals(cid))) return
        const parts = []
        for await (const part of store.get(cid)) parts.push(part)
        const bytes = Uint8Array.from(Buffer.concat(parts))
        blocks.push({ cid, bytes })
        if (cid.code === dagPb.code) for (const link of dagPb.decode(bytes).Links) await add(link.Hash)
      }
      await add(last.cid)
      await describe(name, [last.cid], blocks)
    }

    const small = await block(raw, content(5, 3))
    const parent = await block(dagCbor, [small.cid])
    await describe('small.car', [parent.cid], [parent, small])
    await describe('no-roots.car', [], [small])
    await describe('two-roots.car', [small.cid, parent.cid], [parent, small])
    writeFileSync(join(folder, 'cars.json'), JSON.stringify(described, null, 2) + '\n')
    return described
  },

  async 'export-car' (file, out) {
    const reader = await CarReader.fromIterable(createReadStream(file))
    const store = new MemoryBlockstore()
    for await (const { cid, bytes } of reader.blocks()) await store.put(cid, bytes)
    const written = []
    const write = async (entry, path) => {
      if (entry.type === 'directory') {
        mkdirSync(path, { recursive: true })
        for await (const child of entry.entries()) {
          await write(await exporter(child.cid, store), join(path, child.name))
        }
        return
      }
      const parts = []
      for await (const part of entry.content()) parts.push(part)
      writeFileSync(path, Buffer.concat(parts))
      written.push(path)
    }
    await write(await exporter((await reader.getRoots())[0], store), out)
    return { written }
  },

  async cids () {
    const cases = []
    for (const [codec, hasher, size] of [[0x55, sha256, 0], [0x55, sha256, 1], [0x70, sha256, 4], [0x71, sha256, 9], [0x0129, sha256, 30], [0x55, sha512, 5], [0x300000, sha256, 6]]) {
      const digest = await hasher.digest(content(size, 9))
      const cid = CID.createV1(codec, digest)
      const test = { codec, hash: digest.code, digest: Buffer.from(digest.digest).toString('hex'), bytes: Buffer.from(cid.bytes).toString('hex'), v1: cid.toString() }
      test.texts = [base32, base58btc, base16, base36, base64url].map(base => cid.toString(base))
      if (codec === 0x70) test.v0 = CID.createV0(digest).toString()
      cases.push(test)
    }
    return { cases }
  }
}

const [command, ...rest] = process.argv.slice(2)
if (!(command in commands)) {
  console.error(`commands: ${Object.keys(commands).join(', ')}`)
  process.exit(2)
}
console.log(JSON.stringify(await commands[command](...rest), null, 2))

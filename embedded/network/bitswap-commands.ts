import type { CID } from 'multiformats/cid'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Command } from '../rpc/command.ts'
import { humanBytes } from '../rpc/human-bytes.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { listOf } from './go-list.ts'
import { NotOnlineError } from './network.ts'
import { parsePeerId } from './peer-ids.ts'

export function bitswapCommands (node: EmbeddedNode): readonly Command[] {
  return [...['bitswap/stat', 'stats/bitswap'].map(path => stat(node, path)), wantlist(node), ledger(node), ...['bitswap/reprovide', 'routing/reprovide'].map(path => reprovide(node, path))]
}

const linksTo = (cids: readonly CID[]): readonly { '/': string }[] => cids.map(cid => ({ '/': cid.toString() }))

function stat ({ network }: EmbeddedNode, path: string): Command {
  return command({
    path,
    args: [],
    options: { verbose: { type: 'bool', aliases: ['v'] }, human: { type: 'bool' } },
    run ({ options: { verbose = false, human = false }, showCid }) {
      if (!network.isOnline) throw new KuboError(`unable to run offline: ${new NotOnlineError().message}`, { code: 1 })
      const { blocksReceived, dataReceived, duplicateBlocks, duplicateData, messagesReceived, blocksSent, dataSent } = network.bitswap.stat()
      const wants = network.bitswap.wants()
      const partners = network.bitswap.partners()
      const json = {
        Wantlist: linksTo(wants), Peers: partners, BlocksReceived: blocksReceived, DataReceived: dataReceived, DupBlksReceived: duplicateBlocks,
        DupDataReceived: duplicateData, MessagesReceived: messagesReceived, BlocksSent: blocksSent, DataSent: dataSent
      }
      const size = (bytes: number): string => human ? humanBytes(BigInt(bytes)) : String(bytes)
      const text = (): string => [
        'bitswap status', `\tblocks received: ${blocksReceived}`, `\tblocks sent: ${blocksSent}`, `\tdata received: ${size(dataReceived)}`, `\tdata sent: ${size(dataSent)}`,
        `\tdup blocks received: ${duplicateBlocks}`, `\tdup data received: ${size(duplicateData)}`, `\twantlist [${wants.length} keys]`, ...wants.map(cid => `\t\t${showCid(cid)}`),
        `\tpartners [${partners.length}]`, ...verbose ? partners.map(peer => `\t\t${peer}`) : [], ''
      ].join('\n')
      return { kind: 'one', value: line(json, text) }
    }
  })
}

function wantlist ({ network, peerId }: EmbeddedNode): Command {
  return command({
    path: 'bitswap/wantlist',
    args: [],
    options: { peer: { type: 'string', aliases: ['p'] } },
    run ({ options: { peer: asked }, showCid }) {
      if (!network.isOnline) throw new NotOnlineError()
      const peer = asked === undefined ? peerId : parsePeerId(asked)
      const wants = network.bitswap.wants(peer === peerId ? undefined : peer)
      const text = (): string => wants.map(showCid).sort().map(cid => `${cid}\n`).join('')
      return { kind: 'one', value: line({ Keys: peer === peerId ? linksTo(wants) : listOf(linksTo(wants)) }, text) }
    }
  })
}

function ledger ({ network }: EmbeddedNode): Command {
  return command({
    path: 'bitswap/ledger',
    args: [{ name: 'peer', kind: 'string', required: true, variadic: false, stdin: false }],
    options: {},
    run ({ args: [asked = ''] }) {
      if (!network.isOnline) throw new NotOnlineError()
      const peer = parsePeerId(asked)
      const { sentBytes, receivedBytes, exchanges } = network.bitswap.ledger(peer)
      const debt = sentBytes / (receivedBytes + 1)
      const text = `Ledger for ${peer}\nDebt ratio:\t${debt.toFixed(6)}\nExchanges:\t${exchanges}\nBytes sent:\t${sentBytes}\nBytes received:\t${receivedBytes}\n\n`
      return { kind: 'one', value: line({ Peer: peer, Value: debt, Sent: sentBytes, Recv: receivedBytes, Exchanged: exchanges }, text) }
    }
  })
}

/** There is no routing to tell, and Kubo without routing says nothing either. */
function reprovide ({ network }: EmbeddedNode, path: string): Command {
  return command({
    path,
    args: [],
    options: {},
    run () {
      if (!network.isOnline) throw new NotOnlineError()
      return { kind: 'many', values: nothing() }
    }
  })
}

async function * nothing (): AsyncGenerator<never> { /* nobody to tell */ }

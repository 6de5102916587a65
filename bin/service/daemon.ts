import { removedText } from '../../cluster/consensus/removed-text.ts'
import { startInOrder } from '../../cluster/lifecycle.ts'
import { systemClock } from '../../cluster/clock.ts'
import type { Logger } from '../../cluster/log.ts'
import { isLoopback, parseEndpoint } from '../../cluster/config/endpoint.ts'
import type { Endpoint } from '../../cluster/config/endpoint.ts'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import { lockFolder } from '../../cluster/store/folder-lock.ts'
import { panel } from '../panel.ts'
import { assertEngine } from './engine.ts'
import { initFolder, readFolder } from './folder.ts'
import type { PeerFolder, Settings } from './folder.ts'
import { tuneHeapForStreams } from './heap.ts'
import type { PeerConfigs } from './sections.ts'

/** A peer that has not stopped by then is ended: somebody waits for it. */
const stopTimeoutMs = 20_000
/** As EX_SOFTWARE of sysexits: who starts the peer again has to look at it first. */
const failedExitCode = 70

/** `daemon`: runs the peer until the process is told to stop. */
export async function runDaemon (folder: PeerFolder, flags: Values, log: Logger, env: NodeJS.ProcessEnv): Promise<void> {
  if (flags.is('tracing')) throw new UsageError('daemon --tracing: there is no tracing here; --stats tells numbers, --debug logs each request')
  const say = (line: string): void => { process.stdout.write(`${line}\n`) }
  const bootstrap = addressesIn(flags.text('bootstrap'))
  tuneHeapForStreams()
  if (flags.is('no-trust')) say('Peers that this one joins through are trusted no more than others, --no-trust or not; who is trusted says: ipfs-cluster-ctl peers trusted')
  if (flags.is('upgrade')) say('A state of an earlier version is upgraded at each start, --upgrade or not.')
  const stopping = stopSignal(log)

  if (flags.is('init')) for (const path of await initFolder(folder, { env, overwrites: false })) say(`wrote ${path}`)
  const settings = withStats(await readFolder(folder, env), flags.is('stats'))
  const { configs, identity } = settings
  for (const warning of settings.warnings) log.warn(warning)
  warnOfOpenDoors(configs, log)
  if (configs.cluster.disableRepinning) {
    log.warn('cluster.disable_repinning is true, which the Go program writes by itself: pins stay with peers that are gone. Is that meant? Repinning is safe to leave on here; set it to false')
  }

  await using _lock = await lockFolder(folder.path, systemClock)
  // Most of the code is behind these: what is wrong with the settings is said before it is loaded.
  const [{ chooseDaemon, watchForKubo }, { compose }, { createControl }, { prepareState }] = await Promise.all([
    import('./daemon-choice.ts'), import('../compose.ts'), import('./state/control.ts'), import('./state/upgrade.ts')
  ])
  try {
    await using daemon = await chooseDaemon({ folder, clock: systemClock, log, say }, configs, stopping)
    await prepareState(folder, say)
    await assertEngine(folder, settings)
    const peer = compose({
      folder, settings, daemon, clock: systemClock, log,
      bootstrap,
      leaves: flags.is('leave') || configs.cluster.leaveOnShutdown,
      failed: reason => { endAtOnce(reason, log) },
      removed: () => { endRemoved(log) }
    })
    const control = createControl({ folder, consensus: peer.consensus, log: log.for('control') })
    await using _running = await startInOrder([...peer.components, control], stopping)
    say(panel({
      id: identity.id,
      peername: configs.cluster.peername,
      peers: peer.addresses(),
      proxy: peer.proxy === undefined ? [] : configs.proxy.listenMultiaddress.map((endpoint, i) => atPort(endpoint, peer.proxy!.addresses[i]!)),
      rest: peer.rest?.addresses ?? [],
      restHasUsers: configs.rest.basicAuthCredentials !== undefined,
      stats: peer.stats?.address,
      daemon: daemon.description,
      folder: folder.path,
      pins: await peer.consensus.state.count()
    }))
    const watching = daemon.isEmbedded ? watchForKubo({ clock: systemClock, say }, configs, stopping).catch(() => {}) : undefined
    await aborted(stopping)
    await watching
    log.info('stopping')
    limitStop(log)
  } catch (err) {
    if (!stopping.aborted) throw err
  }
  log.info('stopped')
}

/** `--stats` stands over the file and its variable. */
function withStats (settings: Settings, isAskedFor: boolean): Settings {
  const { configs } = settings
  return isAskedFor ? { ...settings, configs: { ...configs, stats: { ...configs.stats, enableStats: true } } } : settings
}

/** `--bootstrap a,b`. @throws UsageError */
function addressesIn (written: string | undefined): readonly string[] {
  const addresses = (written ?? '').split(',').map(address => address.trim()).filter(address => address !== '')
  const wrong = addresses.find(address => !/^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d+(\/p2p\/\w+)?$/.test(address))
  if (wrong !== undefined) throw new UsageError(`daemon --bootstrap: ${wrong} is no address of a peer like /ip4/10.0.0.1/tcp/9096/p2p/12D3Koo…`)
  return addresses
}

/** Nothing can be agreed on by who is no member, so it must not go on as if it were. */
function endRemoved (log: Logger): void {
  log.error(removedText)
  process.kill(process.pid, 'SIGTERM')
}

/** Aborts at the first signal that asks to stop; the second ends the process at once. */
function stopSignal (log: Logger): AbortSignal {
  const controller = new AbortController()
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
  for (const [name, code] of Object.entries(codes)) {
    process.on(name, () => {
      if (controller.signal.aborted) {
        log.warn('ended at once, without waiting for what is in flight')
        process.exit(code)
      }
      controller.abort(new Error(`stopped by ${name}`))
    })
  }
  return controller.signal
}

/** Whatever was acknowledged is on disk; what this peer would say from here on could not be trusted. */
function endAtOnce (reason: unknown, log: Logger): void {
  log.error('this peer cannot go on: ended', { reason: (reason as Error).message })
  process.exit(failedExitCode)
}

/** Ends the process when stopping hangs. Whatever was acknowledged is on disk already. */
function limitStop (log: Logger): void {
  setTimeout(() => {
    log.error(`still not stopped after ${stopTimeoutMs} ms: ended`)
    process.exit(1)
  }, stopTimeoutMs).unref()
}

function warnOfOpenDoors ({ proxy, rest, stats }: PeerConfigs, log: Logger): void {
  if (stats.enableStats && !isLoopback(stats.prometheusEndpoint)) log.warn('the numbers for Prometheus can be read from other machines', { multiaddr: stats.prometheusEndpoint.multiaddr })
  for (const { multiaddr } of proxy.listenMultiaddress.filter(endpoint => !isLoopback(endpoint))) {
    log.warn('the IPFS proxy can be reached from other machines: whoever can reach it can use the daemon as its owner can', { multiaddr })
  }
  if (rest.basicAuthCredentials !== undefined) return
  for (const { multiaddr } of rest.httpListenMultiaddress.filter(endpoint => !isLoopback(endpoint))) {
    log.warn('the REST API can be reached from other machines without a password; see api.restapi.basic_auth_credentials', { multiaddr })
  }
}

/** Port 0 in the configuration is a port that was free. */
function atPort (endpoint: Endpoint, url: string): Endpoint {
  return endpoint.kind === 'tcp' && endpoint.port === 0 ? parseEndpoint(endpoint.multiaddr.replace('/tcp/0', `/tcp/${new URL(url).port}`)) : endpoint
}

async function aborted (signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => { signal.addEventListener('abort', () => resolve(), { once: true }) })
}

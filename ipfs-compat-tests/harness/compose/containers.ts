/**
 * Containers without an engine: processes with a network, a process table and a file system of their own, in one network where each finds the
 * others by name. Needs Linux, root and iproute2; `whyNoContainers` says what is missing.
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withoutTap } from '../without-tap.ts'

const run = promisify(execFile)
const subnet = '10.213.7'
const needed = ['ip', 'unshare', 'nsenter', 'setpriv', 'mount', 'chroot'] as const
const commandTimeoutMs = 120_000

export interface ContainerOptions {
  readonly name: string
  /** With the program first. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Files and folders of this machine → where they are inside. */
  readonly mounts: ReadonlyArray<readonly [from: string, to: string]>
  readonly links: ReadonlyArray<readonly [target: string, link: string]>
  /** What root may do there, as `setpriv` names it; undefined is all. */
  readonly capabilities?: readonly string[]
}

export interface Container extends AsyncDisposable {
  /** All that was written so far, to both streams. */
  said (): string
  /** Runs a program beside the first, as `docker exec`. @returns what it wrote. @throws Error when it fails */
  exec (command: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>
  /** With SIGKILL; all that runs inside goes with it. */
  kill (): Promise<void>
}

export interface Containers extends AsyncDisposable { start (options: ContainerOptions): Promise<Container> }

/** What keeps this machine from having containers, in words; undefined when nothing does. */
export async function whyNoContainers (): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces are Linux\'s'
  if (process.getuid?.() !== 0) return 'network namespaces of one\'s own need root'
  const trial = [
    ...needed.map(program => `command -v ${program} >/dev/null || { echo "${program} is not installed" >&2; exit 1; }`),
    'mount --make-rprivate /', 'mount -t tmpfs none /mnt', 'mkdir /mnt/dev', 'mount --rbind /dev /mnt/dev', 'ip link add trial type bridge', 'ip link add one type veth peer name two', 'mount -t proc proc /proc',
    // What the entrypoint does. Root of a user namespace may have nobody to be instead.
    ': > /mnt/file', 'chown 1000:1000 /mnt/file', 'chroot / setpriv --bounding-set=-all,+chown,+setuid,+setgid --inh-caps=-all -- setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs -- true'
  ].join('\n')
  return await run('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-ec', trial], { timeout: commandTimeoutMs }).then(() => undefined, (err: { stderr?: string, message: string }) =>
    `no namespaces can be made here: ${(err.stderr || err.message).trim()}`)
}

/** A network without containers yet. `folder` is for what they see as their own. */
export async function createContainers (folder: string): Promise<Containers> {
  const hosts = join(folder, 'hosts')
  const [empty, roots] = [join(folder, 'empty'), join(folder, 'roots')]
  await mkdir(roots)
  await Promise.all([hosts, empty].map(async path => { await writeFile(path, '') }))
  const named = new Map<string, string>()
  const started = new Set<Container>()
  let count = 0

  // A bridge in a network namespace that lasts as long as the program that waits there.
  const bridge = await inside(spawn('setpriv', [...endedWithUs, 'unshare', '--net', 'sh', '-ec', 'ip link add bridge type bridge\nip link set bridge up\necho up\nexec cat >/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] }))

  async function nameAll (): Promise<void> {
    await writeFile(hosts, `127.0.0.1 localhost\n${[...named].map(([name, address]) => `${address} ${name}\n`).join('')}`)
  }

  return {
    async start (options) {
      const { name, command, env, mounts, links, capabilities } = options
      const number = ++count
      const root = join(roots, `${number}-${name}`)
      await mkdir(root)
      const script = setUp({ root, hosts, empty, mounts, links })
      const bounded = capabilities === undefined ? [] : ['setpriv', `--bounding-set=-all${capabilities.map(name => `,+${name}`).join('')}`, '--inh-caps=-all', '--']
      const child = spawn(...withoutTap('setpriv', [...endedWithUs, 'unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--uts', 'sh', '-ec', script, 'container', ...bounded, ...command]), {
        env: { PATH: path, HOSTNAME: name, HOME: '/root', ...env }, stdio: ['pipe', 'pipe', 'pipe']
      })
      let text = ''
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
      const ended = once(child, 'close')
      await inside(child)
      await run('ip', ['link', 'add', `out${number}`, 'netns', String(bridge.pid), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(child.pid)])
      await run('nsenter', ['--target', String(bridge.pid), '--net', 'sh', '-ec', `ip link set out${number} master bridge\nip link set out${number} up`])
      await run('nsenter', ['--target', String(child.pid), '--net', 'sh', '-ec', `ip link set lo up\nip address add ${subnet}.${number}/24 dev eth0\nip link set eth0 up`])
      named.set(name, `${subnet}.${number}`)
      await nameAll()
      child.stdin.write('go\n')

      const container: Container = {
        said: () => text,
        async exec (command, more = {}) {
          const args = ['--target', await firstProcess(child.pid!), '--net', '--mount', '--pid', '--uts', 'chroot', root, ...command]
          const { stdout } = await run(...withoutTap('nsenter', args), { env: { PATH: path, HOME: '/root', ...env, ...more }, timeout: commandTimeoutMs })
          return stdout
        },
        async kill () {
          started.delete(container)
          named.delete(name)
          await nameAll()
          child.kill('SIGKILL')
          await ended
        },
        [Symbol.asyncDispose]: async () => { await container.kill() }
      }
      started.add(container)
      return container
    },
    async [Symbol.asyncDispose] () {
      await Promise.all([...started].map(async container => { await container.kill() }))
      bridge.kill('SIGKILL')
      await once(bridge, 'close')
    }
  }
}

/** A test that is killed leaves nothing behind. */
const endedWithUs = ['--pdeathsig', 'KILL', '--'] as const
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Resolves when the program has its namespaces: it says a word then. @throws Error when it ends before */
async function inside<C extends ChildProcess> (child: C): Promise<C> {
  const first = await Promise.race([once(child.stdout!, 'data'), once(child, 'close').then(() => undefined)])
  if (first === undefined) throw new Error('the namespaces could not be made')
  return child
}

/** The one that the namespaces' own process table counts as 1, as the machine counts it. */
async function firstProcess (pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim()
}

/** The machine's programs, nothing else of its files, and what is mounted; then, once there is a network, the command. Who stays first is root: its end is the end of all. */
function setUp ({ root, hosts, empty, mounts, links }: Pick<ContainerOptions, 'mounts' | 'links'> & { readonly root: string, readonly hosts: string, readonly empty: string }): string {
  const mounted = mounts.map(([from, to]) => `put ${quoted(from)} ${quoted(root + to)}`)
  return `
    echo inside; read -r go
    put () {
      if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")"; : > "$2"; fi
      mount --rbind "$1" "$2"
    }
    mount --make-rprivate /
    mount -t tmpfs -o mode=755 none ${quoted(root)}
    for name in bin sbin lib lib32 lib64 libx32 usr etc dev; do
      if [ -L "/$name" ]; then cp -P "/$name" ${quoted(root)}; elif [ -d "/$name" ]; then mkdir ${quoted(root)}/$name; mount --rbind "/$name" ${quoted(root)}/$name; fi
    done
    mkdir -m 1777 ${quoted(root)}/tmp
    mkdir ${quoted(root)}/proc ${quoted(root)}/root
    mount -t proc proc ${quoted(root)}/proc
    mount -t tmpfs -o mode=755 none ${quoted(root)}/usr/local/bin
    mount --bind ${quoted(hosts)} ${quoted(root)}/etc/hosts
    mount --bind ${quoted(empty)} ${quoted(root)}/etc/resolv.conf
    ${mounted.join('\n')}
    ${links.map(([target, link]) => `ln -s ${quoted(target)} ${quoted(root + link)}`).join('\n')}
    chroot ${quoted(root)} "$@" <&- & wait $!`
}

const quoted = (text: string): string => `'${text.replaceAll('\'', '\'\\\'\'')}'`

/** What the command line is asked, in this order: later ones see what earlier ones did. */
export interface Invocation {
  readonly args: readonly string[]
  readonly input?: string
  /** Go's maps have no order. */
  readonly unordered?: boolean
  /** What no two daemons agree on. */
  readonly volatile?: readonly RegExp[]
}

const hello = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'
const hello1 = 'bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am'
const emptyDir = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
const nowhere = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

const says = (...args: readonly string[]): Invocation => ({ args })
const line = (text: string): Invocation => says(...text.split(' '))
const commands = (text: string): Invocation[] => text.split('|').map(one => line(one.trim()))
const inAnyOrder = (one: Invocation): Invocation => ({ ...one, unordered: true })
const fed = (input: string, text: string): Invocation => ({ ...line(text), input })

const adding: readonly Invocation[] = [
  ...commands(`
    add a.txt | add -q a.txt | add -Q a.txt | add -n a.txt | add --pin=false b.txt | add --cid-version=1 a.txt | add --raw-leaves b.txt |
    add -w a.txt | add -w a.txt b.txt | add a.txt b.txt | add -r dir | add -rq dir | add -rQ dir | add -rw dir | add -rH dir |
    add -r --ignore=one dir | add dir | add nofile | add -r dir nofile | add empty | add --chunker=size-1000 b.txt | add --chunker=rabin b.txt |
    add --chunker=nope b.txt | add --hash=sha2-512 a.txt | add --hash=nope a.txt | add --hash=blake3 --cid-version=0 a.txt | add --trickle b.txt |
    add --inline a.txt | add --inline-limit=200 --inline a.txt | add --nocopy a.txt | add --pin-name=named a.txt |
    add --pin-name=x --pin=false a.txt | add --to-files=/added a.txt | add --to-files=/added a.txt | add --to-files=/nodir/ a.txt |
    add --preserve-mode a.txt | add --mode=0600 a.txt | add --mtime=1 a.txt | add --silent a.txt | add --quieter --progress=false -r dir |
    add --cid-version=2 a.txt | add --cid-base=base32 a.txt | add --cid-base=nope a.txt | add --upgrade-cidv0-in-output --cid-base=base58btc a.txt |
    add --nosuchoption a.txt | add --pin=maybe a.txt | add --max-file-links=2 --chunker=size-500 b.txt | add --max-hamt-fanout=7 a.txt |
    add --fast-provide-root=false a.txt | add --only-hash --to-files=/x a.txt | --encoding=json add a.txt | --encoding=xml add a.txt |
    --offline add a.txt | --timeout=20s add a.txt | --timeout=x add a.txt
  `),
  says('add', 'ünï cödé & <x>'), says('add', '-w', 'ünï cödé & <x>'),
  fed('from stdin', 'add'), fed('from stdin', 'add -Q -'), fed('', 'add -q'), fed('named', 'add --stdin-name=n -w')
]

const pinning: readonly Invocation[] = [
  ...commands(`
    pin add ${hello} | pin add --name=greeting ${hello} | pin ls ${hello} | pin ls --names ${hello} | pin ls -q ${hello} |
    pin ls --type=direct ${hello} | pin ls --type=nope | pin ls --stream --names --name=greet | pin ls ${nowhere} | pin ls notacid |
    pin add --recursive=false ${hello} | pin add --recursive=false ${hello1} | pin ls --type=direct | pin add ${hello1} ${emptyDir} |
    pin add -r ${hello1} | pin add notacid | pin add | pin add /ipfs/${emptyDir}/none | pin add --progress ${hello} |
    pin add --progress --recursive=false ${emptyDir} | pin rm --recursive=false ${hello} | pin rm ${hello1} | pin rm ${hello1} | pin rm ${nowhere} |
    pin rm notacid | pin rm | pin update ${hello} ${emptyDir} | pin update ${nowhere} ${hello} | pin update ${hello} ${hello1} |
    pin ls --names ${hello1} | pin update --unpin=false ${hello1} ${hello} | --timeout=500ms pin add ${nowhere} | --offline pin add ${nowhere} |
    --timeout=500ms pin add --progress ${nowhere} | --cid-base=base32 pin add ${hello} | --encoding=json pin add ${hello} |
    --encoding=json pin ls ${hello} | pin add --name=${'n'.repeat(256)} ${hello} | pin verify | pin verify --verbose | pin verify -q --verbose |
    pin remote service ls | pin remote ls --service=none | pin remote add --service=none ${hello} | pin | pin nope
  `),
  ...commands(`
    pin ls | pin ls -q | pin ls --type=recursive --names | pin ls --type=indirect | pin ls --stream --type=all | --cid-base=base32 pin ls |
    --encoding=json pin ls --stream
  `).map(inAnyOrder),
  fed(`${hello}\n${emptyDir}\n`, 'pin add'), fed(`${hello}\n`, `pin add ${emptyDir}`), fed('notacid\n', `pin add ${hello}`),
  inAnyOrder(fed(`${hello}\n`, 'pin ls')), fed(`${emptyDir}\n`, 'pin rm'), fed(`${emptyDir}\n`, 'pin rm'), line(`pin add ${emptyDir}`)
]

const reading = commands(`
    cat ${hello} | cat ${hello} ${hello} | cat --offset=2 --length=2 ${hello} | cat --offset=-1 ${hello} | cat ${emptyDir} |
    cat /ipfs/${emptyDir}/none | cat notacid | cat | --offline cat ${nowhere} | --timeout=300ms cat ${nowhere} |
    get --progress=false -o out ${hello} | get --progress=false -a -o out.tar ${hello} | get --progress=false -C -o out.gz ${hello} |
    --offline get --progress=false ${nowhere} | ls ${emptyDir} | ls ${hello} | ls -v ${emptyDir} | ls --size=false ${emptyDir} |
    --offline ls ${nowhere} | refs ${emptyDir} | refs -r ${hello} | refs -r -u ${hello} ${emptyDir} | refs --format=x ${hello} |
    --offline refs ${nowhere} | resolve /ipfs/${hello} | resolve /ipfs/${emptyDir}/none | resolve /ipns/nope | object diff ${hello} ${emptyDir} |
    object patch add-link ${emptyDir} link ${hello} | object patch rm-link ${emptyDir} none | object get x | files stat /ipfs/${hello} |
    dag get ${hello} | dag get --output-codec=dag-cbor ${hello} | dag resolve ${hello} | dag resolve /ipfs/${emptyDir}/none |
    dag stat --progress=false ${hello} | block stat ${hello} | block get ${hello} | --offline block get ${nowhere} | --offline block stat ${nowhere} |
    add -nQ out | --encoding=json ls ${emptyDir} | --encoding=json refs ${emptyDir}
`)

const putting: readonly Invocation[] = [
  fed('{"a":1}', 'dag put'), fed('{"a":2}', 'dag put --pin'), fed('{', 'dag put'), fed('{"a":1}', 'dag put --store-codec=dag-json --hash=sha2-512'),
  fed('{"a":1}', 'dag put --store-codec=nope'), fed('raw', 'block put'), fed('raw too', 'block put --pin'), fed('raw', 'block put --cid-codec=dag-pb'),
  fed('raw', 'block put --format=v0'), fed('raw', 'block put --mhtype=nope'),
  line('block put lines a.txt'), line('block rm notacid'), line(`block rm ${nowhere}`), line(`block rm -f ${nowhere}`), line(`block rm ${hello}`),
  fed('raw', 'block put -f nope'), line(`dag export --progress=false ${hello}`), line(`--offline dag export --progress=false ${nowhere}`),
  fed('no car', 'dag import'), line('dag import nofile'), line('dag import a.txt'), line('dag import --stats --pin-roots=false a.txt'),
  line('dag import one.car'), line('dag import --stats one.car'), line('dag import --silent one.car'), line('dag import --pin-roots=false --stats one.car'), line('pin ls bafyreiatl7632gvloli6tyxyvgfcm5wf345inqpxi4dbvcv2umeqx5ooly'),
  line('dag import --local-only --pin-roots a.txt'), fed('', 'dag import')
]

const files: readonly Invocation[] = [
  ...commands(`
    files mkdir /d | files mkdir /d | files mkdir -p /d/e/f | files mkdir /x/y | files cp /ipfs/${hello} /d/hello | files cp /ipfs/${hello} /d/hello |
    files cp /none /x | files ls | files ls -l / | files ls /d | files ls -U /d | files ls /none | files stat /d | files stat --hash / |
    files stat --format=<type> /d | files stat --with-local /d | files stat /none | files read /d/hello | files read --offset=1 --count=2 /d/hello |
    files read /d | files read /none | files mv /d/hello /d/moved | files mv /none /x | files rm /d/moved | files rm /d | files rm -r /d |
    files rm /none | files flush | files flush /added | files chcid --cid-version=1 / | files touch --mtime=5 /added | files chmod 0640 /added |
    files stat /added
  `),
  fed('written', 'files write --create /w'), fed('more', 'files write --offset=3 /w'), line('files read /w'), fed('x', 'files write /none/w'),
  fed('x', 'files write --create --truncate --parents /p/w'), line('files write /w nofile')
]

const daemon: readonly Invocation[] = [
  ...commands(`
    version | version --all | id | id -f=<id>\\n | id nope | commands | repo version | config Addresses.Gateway | config No.Such |
    config --bool Experimental.FilestoreEnabled true | config --json X.Y {} | config profile apply nope | config show --nope | bootstrap |
    bootstrap list | bootstrap add nope | bootstrap add /ip4/127.0.0.1/tcp/1/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X |
    bootstrap rm --all | swarm peers | swarm addrs | swarm addrs local | swarm addrs listen | swarm filters | swarm filters add nope |
    swarm connect nope | swarm disconnect /ip4/127.0.0.1/tcp/1/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X | swarm peering ls |
    bitswap wantlist | bitswap stat | bitswap ledger nope | bitswap reprovide | stats bitswap | stats dht | stats provide | log level all error |
    log level nope error | key list | key list -l | key gen --type=ed25519 k | key gen k | key rename k l | key rm l | key rm none | key export self |
    key rename self x | name publish --allow-offline /ipfs/${hello} | name publish --key=none /ipfs/x | name resolve --offline | name resolve nope |
    name pubsub state | name inspect a.txt | pubsub ls | pubsub pub t a.txt | p2p ls | filestore ls | filestore verify |
    routing findprovs --num-providers=1 nope | routing findprovs ${nowhere} | routing findpeer nope | routing provide ${hello} | routing get nope |
    dht query nope | provide stat | provide clear | ping nope | diag cmds clear | diag healthy | diag datastore count / | cid format -b base32 x |
    cid base32 ${hello} | multibase list | mount nope | nosuchcommand | repo nosuch | files chroot | diag profile --nope | update |
    repo migrate --nope | add --help | pin ls --help | --help | --encoding=json id | --encoding=text id | --enc=xml version | --encoding=nope id |
    --api-auth=bearer:x id | --timeout=1ns id
  `).map(one => ({ ...one, volatile: [/\d+(?:\.\d+)? (?:[kM]i?)?B/g, /"?(?:Provide|provide)[^\n]*/g] })),
  inAnyOrder(line('log ls'))
]

/** Kubo's `add` leaves the directories that it made on the way behind, which nothing needs: only once they are gone can stores be compared. */
const store: readonly Invocation[] = [
  line('repo gc --silent'),
  ...commands(`
    repo ls | refs local
  `).map(inAnyOrder),
  line('repo verify'), line('add -q --pin=false b.txt'),
  ...commands(`
    repo gc --quiet | repo gc | repo gc --stream-errors
  `).map(inAnyOrder),
  ...commands(`
    repo stat | repo stat --size-only | repo stat --human | stats repo | stats repo -s | --encoding=json repo stat
  `).map(one => ({ ...one, volatile: [/RepoSize\W+[\d.]+(?: \w+)?/g] }))
]

export const invocations: readonly Invocation[] = [...adding, ...pinning, ...reading, ...putting, ...files, ...daemon, ...store]

export const withTokens: readonly Invocation[] = commands(`
  id | pin ls -q | add -q a.txt | pin rm ${emptyDir} | --api-auth=bearer:wrong id | --api-auth=all id | --api-auth=basic:bob:wrong pin ls -q |
  --api-auth=bearer:all id | --api-auth=bearer:all add -q a.txt | --api-auth=bearer:all pin rm ${hello} | --api-auth=bearer:all pin add ${hello} |
  --api-auth=basic:bob:secret add -q a.txt | --api-auth=basic:bob:secret pin ls -q ${hello} | --api-auth=basic:bob:secret pin rm ${hello} |
  --api-auth=basic:bob:secret pin add ${hello} | --api-auth=basic:bob:secret repo stat | --api-auth=basic:bob:secret cat ${hello} |
  --api-auth=basic:bob:secret version | --api-auth=basic:bob:secret add --hash=nope a.txt | --api-auth=bearer:all repo gc --silent
`)

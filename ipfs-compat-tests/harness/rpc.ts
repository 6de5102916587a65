/** Calls of Kubo's RPC, plainly: for tests that look at a daemon or a proxy from outside. */
export interface RpcTarget {
  readonly host: string
  readonly port: number
  /** Sent as the header of that name, where the daemon has users. */
  readonly authorization?: string | undefined
}

export interface Uploaded { readonly name: string, readonly content: string | Uint8Array }

export async function rpcResponse ({ host, port, authorization }: RpcTarget, command: string, files: readonly Uploaded[] = [], signal?: AbortSignal): Promise<Response> {
  const body = files.length === 0 ? undefined : formOf(files)
  return await fetch(`http://${host}:${port}/api/v0/${command}`, { method: 'POST', ...authorization === undefined ? {} : { headers: { authorization } }, ...body === undefined ? {} : { body }, ...signal === undefined ? {} : { signal } })
}

/** The answer's text. @throws Error with the daemon's own text when it is no 200 */
export async function rpc (target: RpcTarget, command: string, files: readonly Uploaded[] = []): Promise<string> {
  const response = await rpcResponse(target, command, files)
  const text = await response.text()
  if (!response.ok) throw new Error(`${command}: ${response.status} ${text}`)
  return text
}

/** The lines of an answer, each as its JSON value. */
export async function rpcLines<T> (target: RpcTarget, command: string, files: readonly Uploaded[] = []): Promise<T[]> {
  return (await rpc(target, command, files)).split('\n').filter(line => line !== '').map(line => JSON.parse(line) as T)
}

function formOf (files: readonly Uploaded[]): FormData {
  const form = new FormData()
  for (const { name, content } of files) form.append('file', new Blob([content as string]), encodeURIComponent(name))
  return form
}

/** One listener a signal, however many requests share it: adding a listener looks at all there are. */
const sharing = new WeakMap<AbortSignal, Set<() => void>>()

export function onAbort (signal: AbortSignal, task: () => void): void {
  const tasks = sharing.get(signal) ?? new Set()
  if (!sharing.has(signal)) {
    sharing.set(signal, tasks)
    signal.addEventListener('abort', () => { for (const each of tasks) each() }, { once: true })
  }
  tasks.add(task)
}

export function offAbort (signal: AbortSignal, task: () => void): void { sharing.get(signal)?.delete(task) }

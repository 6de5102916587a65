/** libp2p's words for addresses that could not be listened on, a stack trace for each among them → what the system said of each. */
export function whyNotListening (err: unknown): string {
  const { message } = err as Error
  const reasons = [...message.matchAll(/^ *\/\S+: (?:\w*Error: )?(.*)$/gm)].map(([, reason = '']) => reason.includes('EADDRINUSE') ? 'another process listens there' : reason)
  return reasons.length === 0 ? message.split('\n')[0]! : [...new Set(reasons)].join('; ')
}

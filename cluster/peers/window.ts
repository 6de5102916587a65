/** A stream may have so much on its way to a reader that has paused. The same at all peers: who receives tells as late as it is free to. */
export const windowBytes = 2 * 1_024 * 1_024

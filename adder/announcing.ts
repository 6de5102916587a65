import type { Announcement } from '../cluster/ports.ts'

/** How a caller of Kubo says that a pin is to be told to the network at once, or not to be. */
export type AnnouncingOptions = { readonly [K in `fast-provide-${Announcement}`]?: boolean | undefined }

const announcements: readonly Announcement[] = ['root', 'dag', 'wait']

/** What is said not to be done; where nothing is said each daemon goes by its configuration. */
export function unannouncedOf (options: AnnouncingOptions): readonly Announcement[] {
  return announcements.filter(what => options[`fast-provide-${what}`] === false)
}

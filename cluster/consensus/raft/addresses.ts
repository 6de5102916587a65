import type { Member } from './members.ts'

/** All the multiaddrs where a member is reached, as one text: it travels with the membership. */
export const addressText = (addresses: readonly string[]): string => addresses.join(' ')
export const addressesOf = ({ address }: Pick<Member, 'address'>): readonly string[] => address.split(' ').filter(text => text !== '')

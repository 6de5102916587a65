import { call, exchange } from '../call.ts'
import { carBody } from '../content.ts'
import type { Car } from '../content.ts'
import type { ClusterSide } from './contest.ts'
import { spentOn } from './spent.ts'
import type { Spent } from './spent.ts'

export interface Imported extends Spent { readonly root: string }

/** To each of the side's daemons at once, past what stands before them. */
export async function importEverywhere (side: ClusterSide, car: Car): Promise<Imported> {
  const spent = await spentOn(side.processes, async () => {
    await Promise.all(side.daemons.map(async daemon => { await call(daemon, 'dag/import?pin-roots=true', carBody(car)) }))
  })
  return { ...spent, root: car.root.toString() }
}

/** As Kubo's API takes it. */
export async function importOnce (side: ClusterSide, car: Car): Promise<Imported> {
  return { ...await spentOn(side.processes, async () => { await call(side, 'dag/import?pin-roots=true', carBody(car)) }), root: car.root.toString() }
}

/** As ipfs-cluster's API takes it. @throws TypeError for a side that has none */
export async function importOverRest (side: ClusterSide, car: Car): Promise<Imported> {
  const { rest } = side
  if (rest === undefined) throw new TypeError(`${side.name} has no REST API`)
  return { ...await spentOn(side.processes, async () => { await exchange(rest, { path: '/add?format=car', body: carBody(car) }) }), root: car.root.toString() }
}

/** Unpins them, and has their blocks thrown away: else what is large fills the disk within a few rounds. What another daemon has not unpinned yet goes the next time. */
export async function forget (side: ClusterSide, ...roots: readonly string[]): Promise<void> {
  for (const target of side.name === 'limit' ? side.daemons : [side]) for (const root of roots) await call(target, `pin/rm?arg=${root}`)
  for (const daemon of side.daemons) await call(daemon, 'repo/gc?quiet=true')
}

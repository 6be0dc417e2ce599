import { seconds, span } from './format.js';
import type { SyncInfo, WaitEdge } from './types.js';

/** Reads the wait graph as chains in words: per object, who waits, since when, and for whom. */

export interface Party {
  session: string;
  name: string;
  waiting: number;
}
export interface Chain {
  object: string;
  waiters: Party[];
  holders: Party[];
  /** The longest wait, in seconds. */
  longest: number;
  description: string;
}

/** A session's name for people; an alias alone says little, but is all that is known of some. */
export const partyName = (session: string | undefined, name: string | undefined): string => name || session || 'somebody';

/** Chains with the longest wait first. An edge leads from a waiter to the one before it; the last leads to the holder. */
export function chainsOf(edges: readonly WaitEdge[], objects: readonly SyncInfo[]): Chain[] {
  const described = new Map(objects.map(object => [object.object, object.description ?? '']));
  const chains = new Map<string, Chain>();
  for (const edge of edges) {
    const object = edge.object ?? '';
    let chain = chains.get(object);
    if (!chain) chains.set(object, (chain = { object, waiters: [], holders: [], longest: 0, description: described.get(object) ?? '' }));
    const waiting = seconds(edge.waiting ?? '0s');
    chain.longest = Math.max(chain.longest, waiting);
    join(chain.waiters, edge.waiterSession, edge.waiterName, waiting);
    if (edge.holderSession || edge.holderName) join(chain.holders, edge.holderSession, edge.holderName, 0);
  }
  for (const chain of chains.values()) {
    const waiters = new Set(chain.waiters.map(keyOf));
    const others = chain.holders.filter(holder => !waiters.has(keyOf(holder)));
    // In a cycle, or with a lock that its holder waits for again, all holders wait.
    if (others.length > 0) chain.holders = others;
    chain.waiters.sort((a, b) => b.waiting - a.waiting);
  }
  return [...chains.values()].sort((a, b) => b.longest - a.longest);
}

export const keyOf = (party: Party): string => party.session || party.name;

function join(parties: Party[], session: string | undefined, name: string | undefined, waiting: number): void {
  const party = { session: session ?? '', name: partyName(session, name), waiting };
  const known = parties.find(other => keyOf(other) === keyOf(party));
  if (known) known.waiting = Math.max(known.waiting, waiting);
  else parties.push(party);
}

/** A chain in one sentence: "3 sessions wait for importer". */
export function sentence(chain: Chain): string {
  const many = chain.waiters.length;
  const who = many === 1 ? chain.waiters[0]!.name : `${many} sessions`;
  const verb = many === 1 ? 'waits' : 'wait';
  switch (chain.object.split('/')[0]) {
    case 'queues':
      return `${who} ${verb} at`;
    case 'barriers':
      return `${who} ${verb} for the others at`;
    case 'events':
    case 'conditions':
    case 'latches':
      return `${who} ${verb} for`;
    case 'semaphores':
      return `${who} ${verb} for a permit of`;
    case 'rate_limiters':
      return `${who} ${verb} for permits of`;
    default:
      return chain.holders.length > 0
        ? `${who} ${verb} for ${namesOf(chain.holders)}, which ${chain.holders.length === 1 ? 'holds' : 'hold'}`
        : `${who} ${verb} for`;
  }
}

/** Up to two names, then a number. */
export function namesOf(parties: readonly Party[]): string {
  return parties.length <= 2 ? parties.map(party => party.name).join(' and ') : `${parties[0]!.name} and ${parties.length - 1} others`;
}

/** How long each holder has held the object, as the list of objects says. */
export function holdings(chain: Chain, objects: readonly SyncInfo[]): string {
  const holders = objects.find(object => object.object === chain.object)?.holders ?? [];
  const ages = holders.map(holder => seconds(holder.age)).filter(age => age >= 0);
  const token = holders.length === 1 && holders[0]!.fencingToken ? `, token ${holders[0]!.fencingToken}` : '';
  return ages.length === 0 ? '' : `held ${ages.length > 1 ? 'up to ' : ''}${span(Math.max(...ages))}${token}`;
}

import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { birthOf } from '../birth-of.ts';

interface Holder {
  readonly pid: number;
  readonly born: string;
  readonly place: string;
}

const HERE = place();
const BORN = birthOf(process.pid) ?? '';

/** What this process writes into one lock it holds. */
export const holderText = (): string =>
  JSON.stringify({ pid: process.pid, born: BORN, place: HERE, id: randomUUID() });

/** Whether the process that wrote a lock has ended; undefined where that cannot be told from here. */
export function holderEnded(text: string): boolean | undefined {
  const holder = parse(text);
  // Process ids mean nothing on another machine or in another container.
  if (holder?.place !== HERE) return undefined;
  const born = birthOf(holder.pid);
  if (born === undefined) return true;
  return born === '' ? undefined : born !== holder.born;
}

/** This machine, and within it the container. */
function place(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

function parse(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

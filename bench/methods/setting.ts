import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Method } from './methods.ts';

const BASE = fileURLToPath(new URL('../../examples/specs/cifar10-5k.json', import.meta.url));

/** What all runs of a table have in common; results of different settings are kept apart. */
export interface Setting {
  readonly name: string;
  readonly epochs: number;
  readonly base: Base;
}

interface Base {
  readonly data: Readonly<Record<string, object>>;
  readonly train: Readonly<Record<string, unknown>> & { readonly epochs: number };
  readonly [section: string]: unknown;
}

export interface SettingOptions {
  readonly quick?: boolean | undefined;
  readonly epochs?: number | undefined;
  readonly kernel?: string | undefined;
}

/** 1,000 of the 5,000 training rows and a tenth of the test rows, so that a run is half a minute. */
const QUICK = {
  epochs: 8,
  data: {
    train: { from: 'train', perClass: [0, 100] },
    validation: { from: 'train', perClass: [2250, 2350] },
    test: { from: 'test', perClass: [0, 100] },
  },
};

/** The setting of `cifar10-5k`, or a shorter one whose figures say little. */
export async function readSetting({ quick, epochs, kernel }: SettingOptions): Promise<Setting> {
  const base = JSON.parse(await readFile(BASE, 'utf8')) as Base;
  const length = epochs ?? (quick ? QUICK.epochs : base.train.epochs);
  const parts = [
    quick ? 'quick' : 'cifar10-5k',
    ...(epochs === undefined ? [] : [`${epochs}-epochs`]),
    ...(kernel === undefined ? [] : [kernel]),
  ];
  return {
    name: parts.join('-'),
    epochs: length,
    base: {
      ...base,
      ...(quick ? { data: QUICK.data } : {}),
      train: { ...base.train, ...(kernel === undefined ? {} : { kernel }) },
    },
  };
}

/** Whether its figures belong into docs/methods.md. */
export const isFull = ({ name }: Setting): boolean => name === 'cifar10-5k';

/** The spec of one run. The control is a method of its own, so no run trains one beside. */
export function specOf(
  { spec, epochs = 1 }: Method,
  { base, epochs: length }: Setting,
  seed: number,
): object {
  const { objective: _objective, ...rest } = base;
  const train = { ...base.train, ...(spec.train as object | undefined), epochs: length * epochs };
  return { ...rest, ...spec, train, controls: false, seed };
}

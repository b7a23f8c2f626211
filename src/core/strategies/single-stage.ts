import Type from 'typebox';
import type { Strategy } from './strategy.ts';

const options = Type.Object({}, { additionalProperties: false });

export const singleStage: Strategy<typeof options> = {
  name: 'single-stage',
  summary: 'one run with the whole objective from the first step to the last',
  options,
  phases: (terms) => [{ name: 'all', terms, share: 1 }],
};

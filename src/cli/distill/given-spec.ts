import { parseSpec } from '../../spec/parse-spec.ts';
import type { Spec } from '../../spec/spec.ts';
import { readJson } from '../read-json.ts';
import type { DistillOptions } from './distill-options.ts';

/** The spec of a job; without a file every default. */
export const givenSpec = async ({ spec }: Pick<DistillOptions, 'spec'>): Promise<Spec> =>
  parseSpec(spec === undefined ? { version: 1 } : await readJson(spec));

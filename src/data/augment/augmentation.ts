import type { Static, TObject } from 'typebox';
import type { Random } from '../../core/random.ts';
import type { Affine } from '../affine.ts';

interface Common<S extends TObject> {
  readonly name: string;
  readonly summary: string;
  readonly options: S;
}

/** Moves pixels; all geometric entries of a spec are composed and sampled once, so nothing blurs twice. */
export interface GeometricAugmentation<S extends TObject = TObject> extends Common<S> {
  readonly kind: 'geometric';
  /** From where each pixel of the augmented [height, width] picture comes; zero outside, before normalisation. */
  transform(random: Random, options: Static<S>, height: number, width: number): Affine;
}

/** Mixes a row with a partner: w x + (1 - w) x', labels alike. */
export interface MixingAugmentation<S extends TObject = TObject> extends Common<S> {
  readonly kind: 'mixing';
  readonly citation: string;
  /** Weight of the row itself. */
  weight(random: Random, options: Static<S>): number;
}

/**
 * One augmentation. Its randomness is the hash of (seed, `augment:<name>`, epoch, row): it depends on the sample and
 * never on its place in a batch, so teacher and student see the same pixels. Adding one = one file and one registry
 * line.
 */
export type Augmentation<S extends TObject = TObject> = GeometricAugmentation<S> | MixingAugmentation<S>;

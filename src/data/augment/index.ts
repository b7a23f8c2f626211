import type { TObject } from 'typebox';

/** Augmentations by name. */
export const augmentations: Readonly<
  Record<string, { readonly summary: string; readonly options: TObject }>
> = {};

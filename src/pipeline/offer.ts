import type { StageName } from './stage.ts';

/** What is left of a stage made of parts that any process can make: told to whoever may find helpers. JSON. */
export interface Offer {
  readonly stage: StageName;
  /** Key of the stage; parts made under another one are of no use to it. */
  readonly key: string;
  /** Work done and work in all, in units of the stage's own. */
  readonly done: number;
  readonly total: number;
  /** Time the rest would take the process that offers, at its pace so far. */
  readonly milliseconds: number;
  readonly parts: readonly OfferedPart[];
}

export interface OfferedPart {
  readonly name: string;
  /** In units of the stage's own. */
  readonly size: number;
}

/** Parts of a stage that one process makes for another that runs the stage. */
export interface PartsOrder {
  readonly key: string;
  readonly parts: readonly string[];
}

import type { Offer } from '../../pipeline/offer.ts';
import type { Dispatcher, PartGroup } from '../ports.ts';
import type { Attempt } from './attempt.ts';
import { freeSlots } from './free-slots.ts';
import { planGroups, sizeOf } from './plan-groups.ts';
import type { Ending } from './transitions.ts';

/** Fan-outs of one dispatch: helpers that all fail cost no more than that. */
const MAX_FAN_OUTS = 3;

export interface SharingTools {
  readonly dispatcher: Pick<Dispatcher, 'workers' | 'counts'>;
  readonly device: 'cpu' | 'cuda';
  /** Work that takes one process less is not shared. */
  readonly minMs: number;
}

/** Decides whether what an attempt offers goes to helpers, and what becomes of the attempt then. */
export class Sharing {
  readonly #attempt: Attempt;
  readonly #tools: SharingTools;
  #considering = false;
  #taken: { readonly ending: Ending; readonly groups: readonly PartGroup[] } | undefined;

  constructor(attempt: Attempt, tools: SharingTools) {
    this.#attempt = attempt;
    this.#tools = tools;
  }

  /** True when helpers are to make the rest, so that the attempt should stop. A queue that is away has no helpers. */
  async consider(offer: Offer): Promise<boolean> {
    const { job, number } = this.#attempt;
    if (this.#taken || this.#considering || job.fanOuts >= MAX_FAN_OUTS) return false;
    this.#considering = true;
    const { dispatcher, device, minMs } = this.#tools;
    const slots = await freeSlots(dispatcher, device).catch(() => 1);
    this.#considering = false;
    const groups = planGroups(offer, slots, { minMs });
    if (groups.length === 0) return false;
    const { stage, key, done: before, total } = offer;
    const sizes = groups.map((parts) => ({ size: sizeOf(parts), done: 0 }));
    this.#taken = {
      ending: { kind: 'fanned-out', fanOut: { stage, before, total, groups: sizes } },
      groups: groups.map((parts, group) => ({
        id: job.id,
        dispatch: job.dispatch,
        attempt: number,
        group,
        stage,
        order: { key, parts: parts.map(({ name }) => name) },
      })),
    };
    return true;
  }

  /** An attempt that stopped because its work was taken has fanned out. */
  ending(ending: Ending): Ending {
    return ending.kind === 'stopped' && this.#taken ? this.#taken.ending : ending;
  }

  get groups(): readonly PartGroup[] {
    return this.#taken?.groups ?? [];
  }
}

import { ulid } from 'ulid';
import { RetortError } from '../../errors.ts';
import type { Clock, JobStore, StoredRecord } from '../../pipeline/ports.ts';
import type { Artifact } from '../../pipeline/stage.ts';
import type { ModelInspection } from '../../pipeline/teacher/inspect-model.ts';
import type { Sandbox } from '../ports.ts';
import { boundedCard } from './bounded-card.ts';
import { ownedPage, type Page, type PageWish } from './owned-page.ts';

/** A model as the JobStore holds it: the value of the record `model/<id>`. Times are milliseconds since 1970. */
export interface StoredModel {
  readonly id: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly model: Artifact;
  /** External data, by the name used in the model. */
  readonly companions: readonly Artifact[];
  readonly card: ModelInspection;
}

export interface ModelsTools {
  readonly jobs: JobStore;
  readonly clock: Clock;
  readonly sandbox: Sandbox;
  /** How long a model is kept, milliseconds. */
  readonly retainMs: number;
}

const PREFIX = 'model/';
const modelOf = ({ value }: StoredRecord) => value as StoredModel;

/** Models that users have given, with their cards. */
export class Models {
  readonly #tools: ModelsTools;

  constructor(tools: ModelsTools) {
    this.#tools = tools;
  }

  /**
   * Looks at a model in the sandbox and keeps it; throws what is wrong with it, and keeps nothing then. The signal stops
   * the look.
   */
  async create(
    draft: Pick<StoredModel, 'owner' | 'model' | 'companions'>,
    signal?: AbortSignal,
  ): Promise<StoredModel> {
    const { jobs, clock, sandbox, retainMs } = this.#tools;
    const { model, companions } = draft;
    const looked = await sandbox.inspectModel({ model, companions, ...(signal ? { signal } : {}) });
    const card = boundedCard(looked);
    const createdAt = clock.now();
    const stored = { id: `m_${ulid()}`, ...draft, createdAt, expiresAt: createdAt + retainMs, card };
    return modelOf(await jobs.put({ id: PREFIX + stored.id, revision: 0, state: 'ready', value: stored }));
  }

  async get(id: string): Promise<StoredModel> {
    const record = /^m_[0-9A-Z]{26}$/.test(id) ? await this.#tools.jobs.get(PREFIX + id) : undefined;
    if (!record) throw new RetortError('NOT_FOUND', `there is no model ${id}`);
    return modelOf(record);
  }

  async page(wish: PageWish): Promise<Page<StoredModel>> {
    const { items, next } = await ownedPage(this.#tools.jobs, PREFIX, wish);
    return { items: items.map(modelOf), next };
  }

  /** Removes the record; its files go with a later sweep, unless something else needs them. */
  async delete(id: string): Promise<void> {
    await this.#tools.jobs.delete(PREFIX + id);
  }
}

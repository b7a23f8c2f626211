import type { Validation } from '../contract/validation.ts';
import { Datasets } from './datasets.ts';
import { type DistillationInput, distillationRequest } from './distillation-request.ts';
import { type Cancellable, Distillations } from './distillations.ts';
import { Models } from './models.ts';
import { RetortApiError } from './retort-api-error.ts';
import { type ClientOptions, Transport } from './transport.ts';
import { Uploads } from './uploads.ts';
import { Webhooks } from './webhooks.ts';

/**
 * A Retort service, from browsers, Node and Deno. Passing failures are repeated where that is safe; every other answer
 * but success is a RetortApiError.
 */
export class RetortClient {
  readonly distillations: Distillations;
  readonly models: Models;
  readonly datasets: Datasets;
  readonly uploads: Uploads;
  readonly webhooks: Webhooks;
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
    this.uploads = new Uploads(this.#transport);
    this.distillations = new Distillations(this.#transport, this.uploads);
    this.models = new Models(this.#transport);
    this.datasets = new Datasets(this.#transport);
    this.webhooks = new Webhooks(this.#transport);
  }

  /** What a job of this input would meet and cost, without making one. */
  async validate(input: DistillationInput & Cancellable): Promise<Validation> {
    const { signal } = input;
    const { call, repeatable } = await distillationRequest(input, this.uploads, signal);
    const path = 'v1/distillations:validate';
    return this.#transport.json({ ...call, method: 'POST', path, idempotent: repeatable, signal });
  }

  /** Whether the server is alive (`healthz`), and whether it can take work (`readyz`). */
  async health({ signal }: Cancellable = {}): Promise<{ readonly alive: boolean; readonly ready: boolean }> {
    const answers = async (path: string): Promise<boolean> => {
      try {
        await this.#transport.done({ path, retries: 0, signal });
        return true;
      } catch (error) {
        if (error instanceof RetortApiError) return false;
        throw error;
      }
    };
    const [alive, ready] = await Promise.all([answers('healthz'), answers('readyz')]);
    return { alive, ready };
  }
}

import { RetortError } from '../../errors.ts';

/** Gathers what stands in the way of a gradient, so that a user is told of all of it at once, before training starts. */
export class Refusals {
  readonly #found: RetortError[] = [];

  /** What `body` returns; undefined where it refuses with GRAD_MISSING_RULE or GRAD_FORBIDDEN. */
  attempt<T>(body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      const refusal = error instanceof RetortError && /^GRAD_/.test(error.code);
      if (!refusal) throw error;
      this.#found.push(error);
      return undefined;
    }
  }

  /** Throws where there is a refusal: it alone, or the first with the messages of all in `problems`. */
  check(): void {
    const [first, ...others] = this.#found;
    if (!first) return;
    if (others.length === 0) throw first;
    throw new RetortError(first.code, `${first.message} (and ${others.length} more)`, {
      ...(first.hint ? { hint: first.hint } : {}),
      problems: this.#found.map(({ message }) => message),
    });
  }
}

import { losses } from '../core/losses/index.ts';
import type { Loss } from '../core/losses/loss.ts';
import { entryOf, resolveOptions } from '../core/options.ts';
import type { ObjectiveTerm } from '../core/program/build-program.ts';
import { RetortError } from '../errors.ts';

interface Sugar {
  readonly alpha?: number;
  readonly temperature?: number;
  readonly logitStandardization?: boolean;
}

type Written = Readonly<Record<string, unknown>> & { readonly loss: string };

/** The objective as weighted terms; `alpha` and `temperature` are sugar for Hinton's two. Terms of weight 0 fall out. */
export function resolveObjective(objective: object | undefined): {
  readonly terms: readonly ObjectiveTerm[];
} {
  const written =
    objective && 'terms' in objective ? (objective.terms as readonly Written[]) : twoTerms(objective ?? {});
  const terms = written.map(resolveTerm).filter((term) => term.weight > 0);
  if (terms.length === 0) {
    throw new RetortError(
      'SPEC_INVALID',
      '/objective/terms: every term has weight 0, nothing would be learned',
    );
  }
  return { terms };
}

function twoTerms({ alpha = 0.9, temperature = 4, logitStandardization = false }: Sugar): readonly Written[] {
  return [
    { loss: 'kl', weight: alpha, temperature, standardize: logitStandardization },
    // 1 - 0.9 is 0.09999999999999998; the spec means 0.1.
    { loss: 'cross-entropy', weight: Number((1 - alpha).toPrecision(12)) },
  ];
}

function resolveTerm({ loss: name, weight, temperature, ...options }: Written): ObjectiveTerm {
  const loss: Loss = entryOf<Loss>(losses, name, 'loss');
  const t = (temperature as number | undefined) ?? loss.temperature;
  if (temperature !== undefined && loss.temperature === undefined) {
    throw new RetortError('SPEC_INVALID', `/objective/terms: the loss "${name}" reads no temperature`);
  }
  return {
    loss: name,
    weight: (weight as number | undefined) ?? 1,
    ...(t === undefined ? {} : { temperature: t }),
    options: resolveOptions(loss.options, options, name),
  };
}

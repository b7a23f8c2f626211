import Type, { type Static } from 'typebox';
import { RetortError } from '../../errors.ts';
import type { Strategy } from './strategy.ts';
import { clients, furtherTeachers } from './teacher-options.ts';
import { demand, readsLabels, readsTeacherLogits, refuse } from './terms.ts';

const options = Type.Object(
  {
    clients,
    samples: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          "rows the job's teacher, the first client, has learned from; its weight. For all clients or none, who then weigh the same",
      }),
    ),
    method: Type.Union([Type.Literal('feddf'), Type.Literal('fedmd')], {
      default: 'feddf',
      description:
        'what is learned of the mean logits where the spec names no objective: feddf their softmax (kl at temperature 1), fedmd the numbers themselves (logit-mse)',
    }),
  },
  { additionalProperties: false },
);

/**
 * One round of federated distillation on public rows whose labels, if there are any, are not read: clients hand in
 * models, the consensus is the mean of their logits, weighted by the rows each has learned from, and the student digests
 * it. Both published methods average logits; FedDF matches the softmax of the mean by a divergence, FedMD the class
 * scores themselves (its authors' code by absolute, ours by squared differences). FedDF's student is the server's model.
 * In FedMD every client digests the consensus: a job per client, with the client's own model as `student.model`. FedDF
 * starts from averaged weights, which needs clients of one architecture; average them outside and give the result as
 * `student.model`.
 */
export const federated: Strategy<typeof options> = {
  name: 'federated',
  summary: "one round of learning from the mean logits of clients' models on public rows, without labels",
  citation:
    'Lin, Kong, Stich, Jaggi, "Ensemble Distillation for Robust Model Fusion", NeurIPS 2020, arXiv 2006.07242; Li, Wang, "FedMD", 2019, arXiv 1910.03581',
  options,
  terms: ({ method }) => [method === 'fedmd' ? { loss: 'logit-mse' } : { loss: 'kl', temperature: 1 }],
  ofTerms: ['method'],
  ensemble(given) {
    refuseSomeCounted(given);
    return {
      weight: given.samples ?? 1,
      others: furtherTeachers('federated', given.clients),
      combine: 'logits',
      temperature: 1,
      weighting: { by: 'fixed' },
    };
  },
  withoutLabels: true,
  phases(terms) {
    refuse(
      'federated',
      terms.filter(readsLabels),
      'reads labels',
      'The rows are public, their labels unknown.',
    );
    demand('federated', terms.filter(readsTeacherLogits), "reads the clients' logits", 'Add one: "kl".');
    return [{ name: 'all', terms, share: 1 }];
  },
};

/** SPEC_INVALID where some clients have rows and others none: beside 4000 rows a weight of 1 is no client at all. */
function refuseSomeCounted({ samples, clients: others }: Static<typeof options>): void {
  const all = [
    { who: "the job's teacher", at: '/strategy/samples', samples },
    ...others.map((client, i) => ({
      who: `"${client.file}"`,
      at: `/strategy/clients/${i}/samples`,
      samples: client.samples,
    })),
  ];
  const uncounted = all.find((client) => client.samples === undefined);
  const counted = all.find((client) => client.samples !== undefined);
  if (!uncounted || !counted) return;
  throw new RetortError(
    'SPEC_INVALID',
    `${uncounted.at}: "federated" weighs clients by the rows they learned from, and says ${counted.samples} of ${counted.who} and nothing of ${uncounted.who}`,
    { hint: 'Give "samples" to every client and to the strategy itself for the first, or to none.' },
  );
}

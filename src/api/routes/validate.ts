import { CreateDistillation } from '../../contract/distillation.ts';
import { Validation } from '../../contract/validation.ts';
import type { Api } from '../api.ts';
import { clientSignal } from '../client-signal.ts';
import type { ApiContext } from '../context.ts';
import { readDraft } from '../read-draft.ts';
import { Slots } from '../slots.ts';
import { whenClosed } from '../when-closed.ts';
import { DraftParts } from './distillations.ts';

/** Validations of one key at the same time: each takes minutes of a core, and leaves nothing that counts against it. */
const AT_ONCE = 2;

/** A dry run: everything but the training. */
export function validateRoutes(app: Api, context: ApiContext): void {
  const slots = new Slots('validations');
  app.post(
    // A doubled colon stands for one.
    '/v1/distillations::validate',
    {
      config: { upload: true, multipart: DraftParts },
      schema: {
        tags: ['distillations'],
        summary: 'What a distillation would meet, and what it would cost',
        description:
          'Takes what POST /v1/distillations takes. Answers with the error the job would fail with, or with cards, warnings ' +
          'and an estimate of time and memory. What it computes is found again by the job. A key has two at a time at most.',
        body: { content: { 'application/json': { schema: CreateDistillation } } },
        response: { 200: Validation },
      },
    },
    async (request, reply) => {
      const signal = clientSignal(reply);
      whenClosed(reply.raw, slots.admit(request.principal.id, AT_ONCE).release);
      const { inputs, requested } = await readDraft(request, context);
      const { warnings, ...found } = await context.sandbox.validate({ inputs, spec: requested, signal });
      return { ...found, warnings: [...warnings] };
    },
  );
}

// The process behind a ProcessSandbox: opens what a user has sent, once, and is thrown away.
import { answerRequest } from '../src/adapters/processes/answer-request.ts';
import type { SandboxRequest } from '../src/adapters/processes/sandbox-request.ts';
import { storesOfParent } from './stores-of-parent.ts';

// Loaded when they are asked for: a process that is started for a model must not wait for what only training needs.
const handlers = {
  'inspect-model': async () => (await import('./sandbox/inspect-model.ts')).answer,
  'inspect-dataset': async () => (await import('./sandbox/inspect-dataset.ts')).answer,
  validate: async () => (await import('./sandbox/validate.ts')).answer,
};

const stores = storesOfParent();
// Told to whoever asks, not by the death of a process that waits.
stores.catch(() => {});
let asked = false;

answerRequest<SandboxRequest>(async (request, note) => {
  asked = true;
  switch (request.kind) {
    case 'inspect-model':
      return (await handlers['inspect-model']())(request, note, await stores);
    case 'inspect-dataset':
      return (await handlers['inspect-dataset']())(request, note, await stores);
    case 'validate':
      return (await handlers.validate())(request, note, await stores);
  }
});

// A spare has time: everything, the most urgent first.
for (const load of Object.values(handlers)) if (!asked) await load();

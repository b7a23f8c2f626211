import type { Sandbox } from '../../service/ports.ts';

type Sent<K extends keyof Sandbox> = Omit<Parameters<Sandbox[K]>[0], 'signal'>;

/** What a sandbox asks of its child, as JSON. */
export type SandboxRequest =
  | ({ readonly kind: 'inspect-model' } & Sent<'inspectModel'>)
  | ({ readonly kind: 'inspect-dataset' } & Sent<'inspectDataset'>)
  | ({ readonly kind: 'validate' } & Sent<'validate'>);

export type SandboxRequestOf<K extends SandboxRequest['kind']> = Extract<
  SandboxRequest,
  { readonly kind: K }
>;

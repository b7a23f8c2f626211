import type { Model } from '../contract/resources.ts';
import type { Cancellable } from './distillations.ts';
import { FileCards } from './file-cards.ts';
import { type FileInput, named } from './files.ts';
import { multipart } from './multipart.ts';
import type { Transport } from './transport.ts';

export interface ModelInput extends Cancellable {
  readonly model: FileInput;
  /** External data by its name in the model. */
  readonly companions?: Readonly<Record<string, FileInput>>;
}

/** /v1/models: ONNX models, looked at once and used in many distillations. */
export class Models extends FileCards<Model> {
  constructor(transport: Transport) {
    super(transport, 'v1/models');
  }

  create({ model, companions = {}, signal }: ModelInput): Promise<Model> {
    const files = Object.entries({ model, ...companions });
    const { body, headers } = multipart(
      {},
      files.map(([field, file]) => ({ field, file: named(file, field) })),
    );
    return this.post({ body, headers, signal });
  }
}

import type { Dataset } from '../contract/resources.ts';
import type { Cancellable } from './distillations.ts';
import { FileCards } from './file-cards.ts';
import { type FileInput, named } from './files.ts';
import { multipart } from './multipart.ts';
import type { Transport } from './transport.ts';

export interface DatasetInput extends Cancellable {
  /** An archive, or several files. */
  readonly dataset: FileInput | readonly FileInput[];
  /** Default: it is recognised. */
  readonly format?: string;
}

/** /v1/datasets: files of rows, looked at once and used in many distillations. */
export class Datasets extends FileCards<Dataset> {
  constructor(transport: Transport) {
    super(transport, 'v1/datasets');
  }

  /** Its state is `inspecting` for as long as looking at it takes: `get` it again. */
  create({ dataset, format, signal }: DatasetInput): Promise<Dataset> {
    const parts = [dataset].flat().map((file) => ({ field: 'dataset', file: named(file, 'dataset') }));
    const { body, headers } = multipart(format === undefined ? {} : { format }, parts);
    return this.post({ body, headers, signal });
  }
}
